"""Pacing: whoever writes much, a few rows a transaction, leaves the ledger to hooks every other moment."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_PAUSE_S = 0.5


@contextmanager
def leaving_room(sleep: Callable[[float], None]) -> Iterator[None]:
    """Rest for as long as the block took, half a second at most, so that nobody's write waits behind many of ours."""
    began = time.perf_counter()
    try:
        yield
    finally:
        sleep(min(time.perf_counter() - began, LONGEST_PAUSE_S))
