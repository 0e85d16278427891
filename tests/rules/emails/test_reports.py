"""What reports make of an email: the furthest of all that came, in whatever order and however often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from funnel_app.campaigns.states import REPORT_ORDER, REPORTED_BY_PROVIDER, State
from funnel_app.rules.emails.clicks import Click
from funnel_app.rules.emails.reports import (
    OF_THE_ADDRESS,
    Report,
    ReportedEmail,
    ReportedEnrolment,
    ends_everything,
    take,
)

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def email(state: State = State.SENT, **more: object) -> ReportedEmail:
    ids = {"id": uuid4(), "contact_id": uuid4(), "campaign": "christmas", "sequence": "five_day"}
    whose = ReportedEnrolment(**ids, mode="live", email_norm="ana@example.com")
    step = {"id": uuid4(), "step": 1, "template_key": "christmas_email_1", "enrolment": whose, "state": state}
    unsaid = dict.fromkeys(("reason", "reason_code", "resend_id", "message_id", "sent_at", "next_check_at"))
    return ReportedEmail(**{**unsaid, **step, **more})


def report(kind: str, **more: object) -> Report:
    said = {"provider_event_id": "msg_1", "at": NOON, "resend_id": "re_1", "email_id": None, "detail": None}
    return Report(**{**said, "kind": kind, **more})


@pytest.mark.parametrize("kinds", list(permutations(["email.sent", "email.delivered", "email.bounced"])))
def test_the_furthest_of_all_reports_stays_and_a_repeat_changes_nothing(kinds):
    found = email()
    for kind in kinds:
        found = take(found, report(kind), given_up=False)
    assert (found.state, found.resend_id) == (State.BOUNCED, "re_1")
    assert all(take(found, report(kind), given_up=False) is found for kind in kinds)


@pytest.mark.parametrize("kind", list(REPORTED_BY_PROVIDER))
def test_no_report_moves_an_email_back(kind):
    for state in REPORT_ORDER:
        assert REPORT_ORDER[take(email(state), report(kind), given_up=False).state] >= REPORT_ORDER[state], state


@pytest.mark.parametrize("state", [State.CANCELLED, State.SKIPPED])
def test_what_we_stopped_stays_stopped(state):
    assert take(email(state), report("email.delivered"), given_up=False).state is state


@pytest.mark.parametrize("kind", list(REPORTED_BY_PROVIDER))
def test_an_earlier_try_only_tells_of_the_address_and_never_leaves_its_id(kind):
    before = email(State.PLANNED, resend_id=None)
    after = take(before, report(kind, message_id="m@example.com"), given_up=True)
    assert (after.state is not before.state) == (REPORTED_BY_PROVIDER[kind] in OF_THE_ADDRESS)
    assert (after.resend_id, after.message_id) == (None, None)


def test_a_waiting_email_that_is_reported_gets_the_time_it_was_sent_and_one_that_has_it_keeps_it():
    before = NOON - timedelta(hours=1)
    assert take(email(State.HELD), report("email.delivered"), given_up=False).sent_at == NOON
    assert take(email(State.HELD, sent_at=before), report("email.delivered"), given_up=False).sent_at == before
    assert take(email(sent_at=before), report("email.delivered"), given_up=False).sent_at == before


def test_only_what_is_said_of_the_address_ends_everything_and_only_while_it_is_the_last_word():
    bounced = report("email.bounced", detail="mailbox does not exist")
    after = take(email(), bounced, given_up=False)
    assert ends_everything(after, bounced) == "the address bounced: mailbox does not exist"
    complained = take(after, report("email.complained"), given_up=False)
    assert ends_everything(complained, bounced) is None
    given_up = report("email.given_up")
    assert ends_everything(take(email(), given_up, given_up=False), given_up) is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"detail": "refused; in their words: 550 ana@example.com"}, "refused"),
        ({"detail": "refused"}, "refused"),
        ({"detail": None}, None),
        ({"detail": "https://x.example", "click": Click(NOON, "https://x.example", None, None)}, None),
    ],
)
def test_of_an_erased_person_only_the_kind_of_a_report_stays(said, kept):
    one = report("email.bounced", **said)
    assert one.without_person() == replace(one, detail=kept, click=None)


def test_a_report_is_the_whole_of_what_changes():
    before = email(State.SENDING, reason="old", reason_code="old", next_check_at=NOON)
    bounced = report("email.bounced", detail="mailbox is full; in their words: 452", message_id="m@x")
    told = {"reason": "mailbox is full", "reason_code": None, "next_check_at": None}
    after = replace(before, state=State.BOUNCED, resend_id="re_1", message_id="m@x", sent_at=None, **told)
    assert take(before, bounced, given_up=False) == after
    sent = take(before, report("email.sent"), given_up=False)
    assert (sent.state, sent.sent_at) == (State.SENT, NOON)
    only_ids = take(before, report("email.opened"), given_up=False)
    assert only_ids == replace(before, resend_id="re_1")
    known = email(State.BOUNCED, resend_id="re_0", message_id="m@y")
    assert take(known, bounced, given_up=False) is known


@pytest.mark.parametrize(
    ("kind", "reason", "told"),
    [
        ("email.bounced", None, "the address bounced: the recipient's server refused it"),
        ("email.complained", "x", "its reader marked an email as spam"),
        ("email.suppressed", "x", "Resend does not mail the address"),
        ("email.delivered", "x", None),
    ],
)
def test_why_nothing_more_goes_to_an_address(kind, reason, told):
    said = report(kind, detail=reason)
    assert ends_everything(take(email(), said, given_up=False), said) == told
