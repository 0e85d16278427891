"""Before a fork the holes between what is used are filled, so that children do not copy pages to use them."""

import subprocess
import sys
from ctypes import CDLL, c_size_t, c_void_p

import pytest

from jobs.shared_memory import fill_holes

PIECES, SIZE = 2000, 200


def test_what_malloc_has_free_between_what_is_used_is_taken():
    fill_holes()
    leave_holes()
    assert fill_holes() >= PIECES // 2 * SIZE
    assert fill_holes() < PIECES // 2 * SIZE, "filled once, a hole is none"


ALLOCATES_IN_THREADS = """
from ctypes import CDLL
from threading import Barrier, Thread
from jobs.shared_memory import one_heap
{}
libc, together = CDLL(None), Barrier(4)
def allocate():
    together.wait()
    libc.malloc(1000)
    together.wait()
threads = [Thread(target=allocate) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_stats()
"""


@pytest.mark.parametrize(("first", "heaps"), [("one_heap()", {1}), ("", {3, 4, 5})], ids=["one", "glibc's own"])
def test_all_threads_allocate_from_one_heap(first, heaps):
    program = [sys.executable, "-c", ALLOCATES_IN_THREADS.format(first)]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stderr
    assert told.count("Arena") in heaps


def leave_holes() -> None:
    libc = CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = c_void_p, [c_size_t], [c_void_p]
    for piece in [libc.malloc(SIZE) for _ in range(PIECES)][::2]:
        libc.free(piece)
