"""The arithmetic of the figures: the way of people, shares, percentiles and how long emails took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_app.rules.figures import WAITS, histogram, kept, percentile, share, signed_up, way_of

OPT_IN, ASSESSED, BOOKED, CLIENT = (tuple(i == at for i in range(4)) for at in range(4))
BOTH = (True, True, False, False)


def test_who_did_a_later_thing_came_past_the_earlier_ones():
    stages = way_of({OPT_IN: 5, BOTH: 3, ASSESSED: 2, CLIENT: 1})
    assert [stage.name for stage in stages] == ["Opt-in", "Assessment", "Booking", "Client"]
    assert [stage.people for stage in stages] == [11, 6, 1, 1]
    assert [stage.did for stage in stages] == [8, 5, 0, 1], "who did it is told apart from who came past"
    assert [stage.dropped for stage in stages] == [5, 5, 0, 0]
    assert [stage.of_before for stage in stages] == [None, 6 / 11, 1 / 6, 1.0]
    assert [stage.of_all for stage in stages] == [1.0, 6 / 11, 1 / 11, 1 / 11]


def test_of_nobody_there_is_no_share():
    assert [(stage.people, stage.of_before, stage.of_all) for stage in way_of({})] == [(0, None, None)] * 4
    assert share(1, 0) is None and share(1, 4) == 0.25


def test_only_who_signed_up_is_of_the_conversion():
    assert signed_up({OPT_IN: 2, ASSESSED: 1, BOOKED: 4, CLIENT: 3, (True, False, False, True): 1}) == (4, 1)


@given(st.dictionaries(st.tuples(*[st.booleans()] * 4), st.integers(0, 1000)))
def test_no_stage_has_more_people_than_the_one_before_and_who_dropped_adds_up(counted):
    stages = way_of(counted)
    people = [stage.people for stage in stages]
    assert people == sorted(people, reverse=True) and all(stage.did <= stage.people for stage in stages)
    assert sum(stage.dropped for stage in stages) + people[-1] == people[0]


@pytest.mark.parametrize(("took", "bar"), [(-2.0, 0), (0.0, 0), (1.0, 0), (1.1, 1), (60.0, 5), (60.1, 6), (9e9, 10)])
def test_an_email_stands_in_the_one_bar_of_its_length(took, bar):
    bars = histogram([(took, 3)])
    assert [each.emails for each in bars] == [3 if at == bar else 0 for at in range(len(WAITS))]
    assert [(each.over, each.at_most) for each in bars] == list(zip((0, *WAITS[:-1]), WAITS, strict=True))


@given(st.lists(st.tuples(st.floats(-10, 1e6), st.integers(1, 9))))
def test_every_email_is_in_the_histogram(waits):
    assert sum(each.emails for each in histogram(waits)) == sum(count for _, count in waits)


def test_the_promise_is_kept_by_what_took_no_longer():
    assert kept([(1.0, 8), (60.0, 1), (60.1, 1)], 60) == 0.9
    assert kept([], 60) is None


@pytest.mark.parametrize(("percent", "length"), [(50, 2.0), (95, 100.0), (99, 100.0), (1, 1.0)])
def test_a_percentile_is_the_nearest_rank(percent, length):
    assert percentile([(1.0, 1), (2.0, 2), (100.0, 1)], percent) == length
    assert percentile([], percent) is None
