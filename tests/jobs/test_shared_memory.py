"""Before a fork the holes between what is used are filled, so that children do not copy pages to use them."""

import subprocess
import sys

import pytest

PIECES, SIZE = 2000, 200
# In a process of its own: what other tests left in this one frees memory meanwhile.
FILLS_HOLES = f"""
from ctypes import CDLL, c_size_t, c_void_p
from jobs.shared_memory import fill_holes
libc = CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = c_void_p, [c_size_t], [c_void_p]
fill_holes()
for piece in [libc.malloc({SIZE}) for _ in range({PIECES})][::2]:
    libc.free(piece)
print(fill_holes(), fill_holes())
"""


def test_what_malloc_has_free_between_what_is_used_is_taken():
    program = [sys.executable, "-c", FILLS_HOLES]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    first, second = map(int, told.split())
    assert first >= PIECES // 2 * SIZE
    assert second < PIECES // 2 * SIZE, "filled once, a hole is none"


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
