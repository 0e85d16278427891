"""A whole Funnel of real processes, with seconds for days."""

from collections.abc import Iterator

import pytest

from sandbox.stack import Stack, running_stack, start_funnel

SECONDS_FOR_A_DAY = 3


@pytest.fixture
def funnel() -> Iterator[Stack]:
    """A Funnel that runs: web, worker and scheduler."""
    with running_stack(SECONDS_FOR_A_DAY) as stack:
        start_funnel(stack)
        yield stack


@pytest.fixture
def slow_funnel() -> Iterator[Stack]:
    """The same, where only the first email of a sequence falls into the test."""
    with running_stack(3600) as stack:
        start_funnel(stack)
        yield stack
