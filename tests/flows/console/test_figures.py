"""Figures: what is counted of which days, and of whom."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.flows.console.figures import Asked, count_figures, last_days, within_reach
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.privacy.unsubscribe import undo, unsubscribe
from funnel_app.ledger.models import Contact
from tests.console_world import report, send, sign_up
from tests.flows.leads import email_ids, look, opt_in, write_templates


@pytest.fixture
def ready(deps):
    write_templates(deps)
    return deps


def figures_of(deps, days):
    return count_figures(deps, last_days(deps, days))


def test_waits_are_the_seconds_from_due_to_delivered(ready):
    for number, seconds in enumerate([1, 2, 3, 4, 100]):
        receipt = opt_in(ready, f"a{number}@resend.dev")
        send(ready, receipt, 1, kind=None)
        ready.now.at = look(ready, email_ids(receipt)[0]).due_at + timedelta(seconds=seconds + 3)
        report(ready, email_ids(receipt)[0])
    waits = figures_of(ready, 7).waits
    assert {percent: round(seconds) for percent, seconds in waits.items()} == {50: 6, 95: 103, 99: 103}


def test_the_way_is_that_of_who_came_first_in_these_days(ready):
    sign_up(ready, 0)
    sign_up(ready, 0, Event.ASSESSMENT)
    sign_up(ready, 1)
    ready.now.forward(days=3)
    sign_up(ready, 0, Event.BOOKING, call_at=ready.now() + timedelta(days=2), occurrence="call-0")
    sign_up(ready, 2, Event.ASSESSMENT)
    today = last_days(ready, 1)
    told = count_figures(ready, Asked(today.first - timedelta(days=3), today.last))
    assert [(stage.people, stage.did) for stage in told.way] == [(3, 2), (2, 2), (1, 1), (0, 0)]
    assert [stage.people for stage in count_figures(ready, today).way] == [1, 1, 0, 0], "two came before these days"


def test_the_days_before_are_told_as_they_stood_as_long_after(ready):
    sign_up(ready, 0)
    ready.now.forward(days=8)
    sign_up(ready, 0, Event.ONBOARDING)
    told = figures_of(ready, 7)
    assert [stage.people for stage in told.way_before] == [1, 0, 0, 0], "a week ago nobody was a client"
    ready.now.forward(days=1)
    sign_up(ready, 1)
    assert [stage.people for stage in figures_of(ready, 7).way] == [1, 0, 0, 0]


def test_a_campaign_s_figures_are_its_own_and_a_refused_call_is_nobody(ready):
    opt_in(ready)
    refused = {"email": "nadia@resend.dev"}
    refuse(ready, campaign="christmas", hook="signup", payload=refused, errors={"x": ["no"]})
    today = last_days(ready, 1).last
    for campaign, people, planned in (("christmas", 1, 5), ("spring", 0, 0)):
        told = count_figures(ready, Asked(today, today, campaign))
        assert (told.way[0].people, sum(row.planned for row in told.templates)) == (people, planned), campaign


def test_who_unsubscribed_is_counted_until_they_come_back(ready):
    opt_in(ready)
    with ready.reads() as session:
        token = session.scalars(select(Contact.unsubscribe_token)).one()
    unsubscribe(ready, token)
    asked = last_days(ready, 7)
    for campaign, number in ((None, 1), ("christmas", 1), ("spring", 0)):
        of = count_figures(ready, Asked(asked.first, asked.last, campaign))
        assert (of.outcomes.unsubscribed, of.outcomes_before.unsubscribed) == (number, 0)
    undo(ready, token)
    assert count_figures(ready, asked).outcomes.unsubscribed == 0


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (date(2026, 11, 1), date(2026, 11, 7), 7),
        (date(2026, 11, 7), date(2026, 11, 1), 7),
        (date(2026, 11, 20), date(2027, 1, 1), 5),
        (date(2027, 1, 1), date(2027, 2, 1), 1),
        (date(1, 1, 1), date(2026, 11, 24), 366),
    ],
)
def test_a_span_ends_today_and_is_a_year_at_most(ready, first, last, days):
    asked = within_reach(ready, first, last)
    assert len(asked.days) == days == len(asked.before.days) and asked.last <= date(2026, 11, 24)
    assert asked.before.last + timedelta(days=1) == asked.first


def test_conversion_counts_people(ready):
    for number in range(3):
        sign_up(ready, number)
    sign_up(ready, 1, Event.ASSESSMENT)
    sign_up(ready, 1, Event.ONBOARDING)
    sign_up(ready, 7, Event.ONBOARDING)
    counted = figures_of(ready, 7)
    assert (counted.signed_up, counted.onboarded) == (3, 1), "who never signed up is not of the cohort"


def test_an_empty_ledger_has_no_figures(ready):
    counted = figures_of(ready, 30)
    assert (counted.by_day, counted.waits, counted.signed_up, counted.onboarded) == ({}, {}, 0, 0)


def test_an_hour_of_the_night_belongs_to_the_business_s_day(ready):
    ready.now.at = ready.now().replace(hour=3)
    opt_in(ready)
    counted = figures_of(ready, 7)
    assert counted.days[-1] == date(2026, 11, 23) and counted.by_day[State.PLANNED][-1] == 5
