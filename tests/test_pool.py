"""The order in which tests run: real processes beside what computes, and the longest of them first."""

from dataclasses import dataclass

import pytest

from tests.pool import in_pool


@dataclass
class Item:
    path: str
    marker: pytest.Mark | None = None

    def get_closest_marker(self, name):
        return self.marker


def process(path, many=1, **lasts):
    return [Item(path, pytest.mark.process(**lasts).mark) for _ in range(many)]


def test_the_longest_process_tests_stand_at_the_front_of_half_of_the_shares():
    files = [*process("short", lasts_s=1), *process("many", 3), *process("long", lasts_s=60), *process("last")]
    order = [test.path for test in in_pool([*files, *(Item("quick") for _ in range(10))], workers=4)]
    assert order == ["long", *["quick"] * 3, *["many"] * 3, "last", "short", *["quick"] * 7]


def test_whatever_there_is_runs_once():
    assert in_pool([], workers=4) == []
    tests = [*process("a", 9), Item("b")]
    assert sorted(map(id, in_pool(tests, workers=3))) == sorted(map(id, tests))
