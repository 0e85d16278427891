"""One pool for all tests: what waits for real processes stands beside what computes.

A worker of pytest-xdist begins with its share of the list of tests, front to back, and takes from the back of another's
when it has none left. So half of the workers find process tests at the front of theirs, and no processor is ever idle.
"""

from collections.abc import Sequence
from itertools import groupby, islice

import pytest


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
