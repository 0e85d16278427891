"""Whatever strikes at once: every email that was planned is delivered or stopped, and none comes twice."""

import pytest

from tests.chaos.storm import storm

pytestmark = pytest.mark.process


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_loses_nothing_and_repeats_nothing(seed):
    count = storm(seed)
    assert count.well, count
