"""Memory that forked processes share: what is done last before a fork, so that they copy less of it."""

import gc
import os
from ctypes import CDLL, c_size_t, c_ssize_t, c_void_p

# Smaller than what malloc asks the kernel for by itself (128 KB, mallopt(3)), and the largest first.
SIZES = (*(2**power for power in range(16, 10, -1)), *range(1032, 8, -16))
MOST_PIECES = 50_000
# glibc's malloc.h; what it does: mallopt(3).
M_ARENA_MAX = -8

_shared_by: set[int] = set()


def one_heap() -> None:
    """Let all threads of this process and of its children allocate from one heap. Other libraries than glibc: nothing.

    glibc gives each thread a heap of its own, and each keeps what its busiest moment took. Python's own lock lets one
    thread at a time allocate anyway.
    """
    libc = CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_ARENA_MAX, 1)


def share() -> None:
    """Prepare this process to be forked. Safe to repeat; only the first time does anything."""
    if os.getpid() in _shared_by:
        return
    _shared_by.add(os.getpid())
    gc.collect()
    fill_holes()
    # A collection would write to every page that is shared.
    gc.freeze()


def fill_holes() -> int:
    """Take what malloc has free between what is used, and never give it back; return how many bytes it was.

    A child that puts sixty bytes into a hole copies a page of 4 KB, and SQLite alone reads a schema of a thousand
    pieces: it cost a worker 3 MB, and the holes are half a megabyte together. Other libraries than glibc: 0.
    """
    libc = CDLL(None)
    if not hasattr(libc, "malloc_trim"):
        return 0
    libc.malloc.restype, libc.malloc.argtypes = c_void_p, [c_size_t]
    libc.sbrk.restype, libc.sbrk.argtypes = c_void_p, [c_ssize_t]
    libc.malloc_trim(0)
    end = libc.sbrk(0)
    return sum(size * _filled(libc, size, end) for size in SIZES)


def _filled(libc: CDLL, size: int, end: int) -> int:
    for count in range(MOST_PIECES):
        piece = libc.malloc(size)
        # Beyond the end of the heap as it was: there is no hole of this size any more.
        if piece is None or piece >= end:
            return count
    return MOST_PIECES
