"""Reasons: why an email did not arrive, as its owner reads it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel_app.campaigns import reasons
from funnel_app.campaigns.states import State

NOT_MAILED = ", so Resend does not mail it"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (reasons.of_bounce("MailboxFull", ""), "mailbox is full"),
        (reasons.of_bounce("General", "smtp; 550 5.1.1 nobody here"), "mailbox does not exist"),
        (reasons.of_bounce("General", "452 4.2.2 try later"), "mailbox is full"),
        (reasons.of_bounce("General", "554 5.7.1 no"), "the recipient's server refused it by its rules"),
        (reasons.of_bounce("General", "554 no"), "the recipient's server refused it"),
        (reasons.of_suppression("previous_bounce"), f"an earlier email to this address bounced{NOT_MAILED}"),
        (reasons.of_suppression("previous_complaint"), f"its reader marked an earlier email as spam{NOT_MAILED}"),
        (reasons.of_suppression("who knows"), "on Resend's suppression list"),
        (reasons.of_failure(""), "Resend could not send it"),
        (reasons.of_failure("odd"), "Resend could not send it: odd"),
        (
            reasons.of_failure("reached_daily_quota"),
            "Resend could not send it: the daily quota of the Resend account was used up",
        ),
        (reasons.of_refusal("422 validation_error: No subject."), "Resend refused it: No subject."),
        (reasons.of_wait("quota", "", reasons.MONTHLY), "the monthly quota of the Resend account is used up"),
        (reasons.of_wait("quota", ""), "the daily quota of the Resend account is used up"),
        (reasons.of_wait("unknown", "read timeout"), "Resend's answer did not come"),
        (reasons.of_wait("unreachable", "no route."), "Resend cannot be reached: no route"),
        (reasons.of_wait("else", "x"), "Resend does not take it yet"),
        (reasons.of_wait("rate_limited", "x"), "the Resend team makes more calls than it may"),
        (reasons.of_wait("concurrent", "x"), "Resend is still working on the first try"),
        (
            reasons.of_wait("paused", "403 invalid_api_key: No key."),
            "Resend refuses the key, the account or the sender: No key",
        ),
        (reasons.of_template("k", "The template has no subject."), "template k in Notion has no subject"),
        (reasons.of_template("k", "Its LINK is dead."), "template k in Notion: its LINK is dead"),
        (reasons.of_template("k", "A fault"), "template k in Notion: a fault"),
        (reasons.spoken(timedelta(hours=48)), "2 days"),
        (reasons.spoken(timedelta(days=1)), "1 day"),
        (reasons.spoken(timedelta(hours=25)), "25 hours"),
        (reasons.spoken(timedelta(minutes=1)), "1 minute"),
        (reasons.spoken(timedelta(seconds=61)), "61 seconds"),
        (reasons.spoken(timedelta(minutes=90)), "90 minutes"),
        (reasons.spoken(timedelta(seconds=1)), "1 second"),
    ],
)
def test_a_reason_is_told_in_plain_words(told, words):
    assert told == words


@pytest.mark.parametrize(
    ("state", "detail", "told"),
    [
        (State.BOUNCED, "mailbox is full; in their words: 452 4.2.2", "mailbox is full"),
        (State.BOUNCED, None, "the recipient's server refused it"),
        (State.DELIVERED, None, None),
    ],
)
def test_lists_show_a_reason_without_the_words_of_a_server(state, detail, told):
    assert reasons.why(state, detail) == told
    assert reasons.with_words("mailbox is full", "452 4.2.2") == "mailbox is full; in their words: 452 4.2.2"
    assert reasons.with_words("same", "same") == "same" == reasons.with_words("same", "")


@pytest.mark.parametrize(
    ("state", "reason", "kind"),
    [
        (State.CANCELLED, "booked a call on 3 December", "cancelled: booked a call"),
        (State.BOUNCED, "the address bounced: mailbox is full: 452", "bounced: the address bounced"),
        (State.HELD, None, "held"),
    ],
)
def test_reasons_of_one_kind_are_counted_together(state, reason, kind):
    assert reasons.general(state, reason) == kind


@pytest.mark.parametrize("state", [*reasons._DEFAULTS, State.SENT])
def test_a_state_that_came_without_a_reason_has_its_own(state):
    assert reasons.why(state, "") == reasons._DEFAULTS.get(state) == reasons.why(state, None)
    assert reasons.without_words(None) is None


def test_a_day_is_told_where_the_business_is():
    at = datetime(2026, 12, 3, 3, tzinfo=UTC)
    assert (reasons.on_day(at, ZoneInfo("America/Toronto")), reasons.on_day(at, ZoneInfo("UTC"))) == (
        "on 2 December", "on 3 December",
    )  # fmt: skip
