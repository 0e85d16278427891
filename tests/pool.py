"""One pool for all tests: what waits for real processes stands beside what computes.

A worker of pytest-xdist begins with its share of the list of tests, front to back, and takes from the back of another's
when it has none left. So half of the workers, of five three, find process tests at the front of theirs, and no
processor is ever idle.
"""

from collections.abc import Sequence
from itertools import groupby, islice

import pytest

# How long a process test takes that does not say so: `pytest.mark.process(lasts_s=60)`.
USUAL_S = 5


def in_pool(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return all tests so that the process tests, file by file, stand at the front of half of the workers' shares.

    The longest stand first: one that came last would keep a worker when the others have nothing left.
    """
    real = [item for item in items if item.get_closest_marker("process")]
    other = iter([item for item in items if not item.get_closest_marker("process")])
    heaps: list[list[pytest.Item]] = [[] for _ in range((workers + 1) // 2)]
    files = [list(file) for _, file in groupby(real, key=lambda item: item.path)]
    for file in sorted(files, key=lasts_s, reverse=True):
        min(heaps, key=lasts_s).extend(file)
    pooled: list[pytest.Item] = []
    for number, heap in enumerate(heaps, 1):
        pooled += heap
        share = len(items) * number // workers
        pooled += islice(other, max(0, share - len(pooled)))
    return [*pooled, *other]


def lasts_s(tests: Sequence[pytest.Item]) -> int:
    """Return how many seconds these process tests take, one after the other."""
    markers = (test.get_closest_marker("process") for test in tests)
    return sum(marker.kwargs.get("lasts_s", USUAL_S) for marker in markers if marker)
