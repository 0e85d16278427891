"""One pool for all tests: what waits for real processes stands beside what computes, and only parts are measured.

A worker of pytest-xdist begins with its share of the list of tests, front to back, and takes from the back of another's
when it has none left. So half of the workers find process tests at the front of theirs, and no processor is ever idle.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice

import pytest
from coverage import Coverage


def in_pool(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return all tests so that the process tests, file by file, stand at the front of half of the workers' shares."""
    real = [item for item in items if item.get_closest_marker("process")]
    other = iter([item for item in items if not item.get_closest_marker("process")])
    heaps: list[list[pytest.Item]] = [[] for _ in range(max(1, workers // 2))]
    for _, file in groupby(real, key=lambda item: item.path):
        min(heaps, key=len).extend(file)
    pooled: list[pytest.Item] = []
    for number, heap in enumerate(heaps, 1):
        pooled += heap
        share = len(items) * number // workers
        pooled += islice(other, max(0, share - len(pooled)))
    return [*pooled, *other]


@contextmanager
def without_coverage() -> Iterator[None]:
    """Measure nothing meanwhile: tracing costs nearly as much as what is traced."""
    measuring = Coverage.current()
    if measuring is not None:
        measuring.stop()
    yield
    if measuring is not None:
        measuring.start()


class Imports:
    """What is run while tests are collected is the same in every worker: the first of them measures it.

    In a worker pytest-cov begins twice: for the command line, and again, which alone is read, for the session. The
    first would take over wherever the second rests.
    """

    def __init__(self) -> None:
        self._worker = os.environ.get("PYTEST_XDIST_WORKER")
        self._resting: Coverage | None = None

    def end_early_measuring(self) -> None:
        """End what was begun for the command line in a worker; before a session starts nothing else is there."""
        if self._worker and (early := Coverage.current()):
            early.stop()

    def begin(self) -> None:
        """Rest until all is imported, in every worker but the first."""
        if self._worker not in {None, "gw0"} and (measuring := Coverage.current()):
            measuring.stop()
            self._resting = measuring

    def end(self) -> None:
        """Measure from now on."""
        if self._resting is not None:
            self._resting.start()


imports = Imports()
