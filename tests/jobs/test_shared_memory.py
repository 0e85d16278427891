"""Before a fork the holes between what is used are filled, so that children do not copy pages to use them."""

from ctypes import CDLL, c_size_t, c_void_p

from jobs.shared_memory import fill_holes

PIECES, SIZE = 2000, 200


def test_what_malloc_has_free_between_what_is_used_is_taken():
    fill_holes()
    leave_holes()
    assert fill_holes() >= PIECES // 2 * SIZE
    assert fill_holes() < PIECES // 2 * SIZE, "filled once, a hole is none"


def leave_holes() -> None:
    libc = CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = c_void_p, [c_size_t], [c_void_p]
    for piece in [libc.malloc(SIZE) for _ in range(PIECES)][::2]:
        libc.free(piece)
