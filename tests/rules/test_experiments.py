"""Experiments: an honest interval, and a difference that may be chance says nothing; who gets which text stays so."""

from collections import Counter
from datetime import timedelta
from itertools import product
from math import comb
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


@pytest.mark.parametrize(("of_first", "of_second"), [(10, 10), (10, 20), (20, 20), (30, 60)])
def test_texts_that_are_equally_good_are_rarely_told_apart(of_first, of_second):
    found = [
        (did_first, did_second)
        for did_first, did_second in product(range(of_first + 1), range(of_second + 1))
        if better(Share(did_first, of_first), Share(did_second, of_second)) is not None
    ]
    for share in (0.05, 0.2, 0.5, 0.67, 0.9):
        assert sum(chance(a, of_first, share) * chance(b, of_second, share) for a, b in found) < 0.06, share


def chance(did, of, share):
    """Return how likely exactly so many of them do what each does by itself with that probability."""
    return comb(of, did) * share**did * (1 - share) ** (of - did)


@pytest.mark.parametrize(("first", "second"), [((1, 1), (0, 9)), ((0, 9), (9, 9)), ((9, 9), (0, 1000))])
def test_fewer_than_ten_readers_say_nothing(first, second):
    assert better(Share(*first), Share(*second)) is None


def test_ten_readers_of_each_may_say_something():
    assert better(Share(0, 10), Share(8, 10)) == 1


def test_each_lead_gets_one_text_for_good_and_each_text_half_of_the_leads():
    leads = [UUID(int=number * 7919) for number in range(2000)]
    drawn = [variant_for(COMPARED, FIVE_DAY, lead) for lead in leads]
    assert drawn == [variant_for(COMPARED, FIVE_DAY, lead) for lead in leads]
    assert 900 < Counter(drawn)["a"] < 1100 and set(drawn) == {"a", "b"}
    # The texts of leads who are in a sequence must not change with a release.
    assert [variant_for(COMPARED, FIVE_DAY, UUID(int=n)) for n in range(6)] == list("abbaab")
    assert {variant_for(FIVE_DAY.step(1), FIVE_DAY, lead) for lead in leads[:20]} == {"christmas_email_1"}
