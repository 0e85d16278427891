"""Experiments: an honest interval, and a difference that may be chance says nothing; who gets which text stays so."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from funnel_app.campaigns.model import Step
from funnel_app.campaigns.registry import load_registry
from funnel_app.rules.experiments import Share, better, difference_within, variant_for

# Of the published tables: Newcombe 1998, and Agresti and Coull 1998 for the single share.
WITHIN = [
    ((0, 10), (0.0, 0.2775)),
    ((10, 10), (0.7225, 1.0)),
    ((3, 10), (0.1078, 0.6032)),
    ((81, 263), (0.2553, 0.3662)),
]
FIVE_DAY = load_registry().sequence("christmas", "five_day")
COMPARED = Step(2, "a", timedelta(days=1), 1, templates=("a", "b"))


@pytest.mark.parametrize(("counted", "within"), WITHIN)
def test_a_share_lies_within_wilsons_interval(counted, within):
    assert Share(*counted).within == pytest.approx(within, abs=1e-4)


def test_nothing_says_nothing():
    assert (Share(0, 0).share, Share(0, 0).within, better(Share(0, 0), Share(3, 5))) == (None, (0.0, 1.0), None)


def test_the_difference_lies_within_newcombes_interval():
    # His example (a): 56 of 70 and 48 of 80.
    assert difference_within(Share(48, 80), Share(56, 70)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ((3, 10), (6, 10), None),
        ((30, 100), (60, 100), 1),
        ((600, 1000), (300, 1000), 0),
        ((50, 1000), (55, 1000), None),
    ],
)
def test_a_difference_that_may_be_chance_says_nothing(first, second, found):
    assert better(Share(*first), Share(*second)) == found


def test_each_lead_gets_one_text_for_good_and_each_text_half_of_the_leads():
    leads = [UUID(int=number * 7919) for number in range(2000)]
    drawn = [variant_for(COMPARED, FIVE_DAY, lead) for lead in leads]
    assert drawn == [variant_for(COMPARED, FIVE_DAY, lead) for lead in leads]
    assert 900 < Counter(drawn)["a"] < 1100 and set(drawn) == {"a", "b"}
    # The texts of leads who are in a sequence must not change with a release.
    assert [variant_for(COMPARED, FIVE_DAY, UUID(int=n)) for n in range(6)] == list("abbaab")
    assert {variant_for(FIVE_DAY.step(1), FIVE_DAY, lead) for lead in leads[:20]} == {"christmas_email_1"}
