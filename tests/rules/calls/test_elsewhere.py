"""Elsewhere: what happens in one campaign ends what another one began, in whatever order both are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from funnel_app.campaigns.model import Event, Mode
from funnel_app.campaigns.registry import Registry, load_registry
from funnel_app.rules.calls.call import Call
from funnel_app.rules.calls.case import Case
from funnel_app.rules.calls.reading import Reading, wanted_for
from funnel_app.rules.calls.take import take
from funnel_app.rules.facts import Heard
from funnel_app.rules.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHRISTMAS = load_registry().campaign("christmas")
NURTURE = replace(
    CHRISTMAS.sequences["lead_nurture"],
    name="all_year",
    campaign="yearly",
    exits=frozenset({Event.BOOKING}),
    exits_elsewhere=frozenset({Event.OPT_IN, Event.BOOKING, Event.ONBOARDING}),
)
YEARLY = replace(CHRISTMAS, name="yearly", season=None, sequences={NURTURE.name: NURTURE})
REGISTRY = Registry({"christmas": CHRISTMAS, "yearly": YEARLY})


def told(found, campaign, event, happened_at):
    """Take a call, and keep that it was heard, as the ledger does."""
    call = Call(
        campaign=campaign, hook="signup", event=event, email="a@x.test", email_norm="a@x.test", happened_at=happened_at
    )
    case = Case(
        campaign=REGISTRY.campaign(campaign),
        others=REGISTRY.campaigns,
        contact=found.contact_of(call, NOW),
        call=call,
        now=NOW,
        current_mode=Mode.LIVE,
        interval_seconds=60,
    )
    taken = take(case, new_id())
    heard = Heard(
        campaign=campaign,
        event=event.value,
        occurrence="",
        outcome=taken.decision.outcome,
        received_at=NOW,
        happened_at=happened_at,
        call_at=None,
    )
    return found.with_contact(replace(taken.contact, heard=(*taken.contact.heard, heard))), taken


@pytest.mark.parametrize("first", ["start", "other"])
@pytest.mark.parametrize(
    ("event", "after", "stands_in_its_way"),
    [
        (Event.OPT_IN, 1 * HOUR, True),
        (Event.OPT_IN, -1 * HOUR, False),
        (Event.BOOKING, 1 * HOUR, True),
        (Event.BOOKING, -1 * HOUR, False),
        (Event.ONBOARDING, 1 * HOUR, True),
        (Event.ONBOARDING, -300 * 24 * HOUR, True),
        (Event.MAYBE, 1 * HOUR, False),
    ],
)
def test_an_event_of_another_campaign_counts_by_when_it_happened(first, event, after, stands_in_its_way):
    start, other = ("yearly", Event.OPT_IN, NOW - 5 * HOUR), ("christmas", event, NOW - 5 * HOUR + after)
    found = Reading()
    for each in (start, other) if first == "start" else (other, start):
        found, _ = told(found, *each)
    runs = [e for e in found.contacts["a@x.test"].enrolments if e.campaign == "yearly" and e.runs]
    assert (not runs) == stands_in_its_way


def test_what_ends_it_is_told_with_the_day_and_cancels_what_has_not_gone():
    found, _ = told(Reading(), "yearly", Event.OPT_IN, NOW)
    _, taken = told(found, "christmas", Event.BOOKING, NOW + HOUR)
    (ended,) = taken.ended
    assert (ended.campaign, ended.exit_reason) == ("yearly", "booked a call on 24 November")
    assert {email.state for email in ended.emails} == {"cancelled"}


def test_it_ends_in_its_own_campaign_by_its_own_events_alone():
    found, _ = told(Reading(), "christmas", Event.OPT_IN, NOW)
    found, taken = told(found, "yearly", Event.ASSESSMENT, NOW + HOUR)
    assert taken.ended == (), "christmas names bookings and clients of others, and no assessment"
    _, taken = told(found, "yearly", Event.ONBOARDING, NOW + HOUR)
    assert [each.sequence for each in taken.ended] == ["lead_nurture"]


@pytest.mark.parametrize(("campaign", "campaigns"), [("yearly", {"christmas", "yearly"}), ("christmas", {"christmas"})])
def test_other_campaigns_are_read_only_where_a_sequence_names_their_events(campaign, campaigns):
    deaf = replace(CHRISTMAS.sequences["lead_nurture"], exits_elsewhere=frozenset())
    alone = replace(CHRISTMAS, sequences={deaf.name: deaf})
    registry = Registry({"christmas": alone, "yearly": YEARLY})
    call = Call(campaign=campaign, hook="signup", event=Event.OPT_IN, email="a@x.test", email_norm="a@x.test")
    assert wanted_for([call], registry, NOW).campaigns == campaigns
