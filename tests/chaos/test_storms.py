"""Whatever strikes at once: every email that was planned is delivered or stopped, and none comes twice."""

import pytest

from tests.chaos.storm import storm

pytestmark = pytest.mark.process(lasts_s=45)


def test_a_storm_of_all_troubles_loses_nothing_and_repeats_nothing():
    count = storm(1)
    assert count.well, count
