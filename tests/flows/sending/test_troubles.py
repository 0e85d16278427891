"""Troubles: what goes wrong with one email, or late, concerns that email alone, and ends as its reader would want."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from funnel_app.campaigns.model import Event, Window
from funnel_app.flows.console.intervene import NotPossible, resolve, retry
from funnel_app.flows.console.operate import pause, resume
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.privacy.erase import NotYet, erase
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending import deliver as deliver_flow
from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.recheck import recheck_held
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.sending.submit import repeat
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import contacts
from funnel_app.ledger.models import Contact, Enrolment
from funnel_app.rules.emails.reports import Report
from tests.flows.leads import assess, call, email_ids, look, opt_in, request_of, states, write_templates

LOST = Answer(AnswerKind.UNKNOWN, detail="lost")
CONFLICT = Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")
QUOTA = Answer(AnswerKind.QUOTA, detail="429 daily_quota_exceeded", retry_after=7200.0)
NOT_VERIFIED = Answer(AnswerKind.PAUSED, detail="403 The domain old.example is not verified")
REFUSED = Answer(AnswerKind.INVALID, detail="422 too odd")


def leads(deps, count):
    return [email_ids(opt_in(deps, f"lead{n}@resend.dev"))[0] for n in range(count)]


def pass_time(deps, **span):
    """Let time go by, then do what the sweep and its workers do."""
    deps.now.forward(**span)
    deps.pause.standing = None
    deps.queues.queued.clear()
    sweep(deps)
    names, deps.queues.queued = deps.queues.queued, []
    for name in names:
        kind, _, number = name.partition("-")
        if kind in {"request", "email"}:
            (repeat if kind == "request" else deliver_due)(deps, UUID(number))


def report(deps, email_id, kind):
    told = {"at": deps.now(), "resend_id": None, "email_id": email_id, "detail": None}
    record_event(deps, Report(provider_event_id=f"{kind}-{email_id}", kind=kind, **told))


def booked(at, event="E1"):
    variables = {"call_time": at.isoformat()}
    return call(event=Event.BOOKING, occurrence=event, call_at=at, variables=variables)


class TestOneOfMany:
    """A batch is one call, and yet each email in it has a fate of its own."""

    def test_a_letter_that_raises_the_unforeseen_is_held_and_the_others_go(self, ready, monkeypatch):
        due = leads(ready, 6)
        inner, reported = deliver_flow.compose.__globals__["_compose"], []

        def trip(deps, email, sources):
            if email.id == due[2]:
                raise ZeroDivisionError("nobody thought of this")
            return inner(deps, email, sources)

        monkeypatch.setitem(deliver_flow.compose.__globals__, "_compose", trip)
        monkeypatch.setitem(deliver_flow.compose.__globals__, "report", reported.append)
        deliver_due(ready, due[0])
        assert {type(fault) for fault in reported} == {ZeroDivisionError}
        held = look(ready, due[2])
        assert held.state == "held" and "ZeroDivisionError: nobody thought of this" in held.reason
        assert [look(ready, each).state for each in due if each != due[2]] == ["sent"] * 5
        assert recheck_held(ready) == 0

    @pytest.mark.both_databases
    def test_a_sequence_that_left_the_files_holds_its_email_and_the_others_go(self, ready):
        due = leads(ready, 6)
        with ready.sessions.begin() as session:
            session.get_one(Enrolment, look(ready, due[0]).enrolment_id).campaign = "christmas2025"
        deliver_due(ready, due[1])
        deliver_due(ready, due[0])
        held = look(ready, due[0])
        assert (held.state, "no longer in the campaign files" in held.reason) == ("held", True)
        assert {look(ready, each).state for each in due[1:]} == {"sent"}
        ready.now.forward(minutes=1)
        assert recheck_held(ready) == 0 and look(ready, due[0]).state == "held"

    def test_the_emails_of_an_ambiguous_batch_are_settled_one_after_another(self, ready):
        due = leads(ready, 5)
        ready.mailer.script = [CONFLICT]
        deliver_due(ready, due[0])
        resolve(ready, due[0], "not-sent")
        resolve(ready, due[1], "delivered")
        resolve(ready, due[2], "not-sent")
        assert [look(ready, each).state for each in due[:3]] == ["planned", "delivered", "planned"]

    def test_two_refused_lines_of_a_batch_are_tried_again(self, ready):
        due = leads(ready, 5)
        ids = ("a", None, None, "d", "e")
        ready.mailer.script = [Answer(AnswerKind.ACCEPTED, ids=ids, refused={1: "bad", 2: "bad"})]
        deliver_due(ready, due[0])
        failed = [each for each in due if look(ready, each).state == "failed"]
        for email_id in failed:
            retry(ready, email_id)
        assert len(failed) == 2 and {look(ready, each).state for each in failed} == {"planned"}

    def test_an_answer_finds_the_emails_that_are_still_in_its_batch(self, ready):
        due = leads(ready, 5)
        ready.mailer.script = [("lost", LOST)]
        deliver_due(ready, due[0])
        report(ready, due[1], "email.failed")
        retry(ready, due[1])
        pass_time(ready, seconds=5)
        assert {look(ready, each).state for each in due} == {"sent"}

    def test_an_erasure_waits_for_a_batch_that_is_made_again(self, ready):
        due = leads(ready, 5)
        ready.mailer.script = [("lost", LOST)]
        deliver_due(ready, due[0])
        report(ready, due[0], "email.delivered")
        with pytest.raises(NotYet):
            erase(ready, look(ready, due[0]).enrolment.contact.email)
        pass_time(ready, seconds=5)
        assert {look(ready, each).state for each in due[1:]} == {"sent"}
        assert erase(ready, look(ready, due[0]).enrolment.contact.email).known


class TestMoved:
    """A call that is moved takes its reminders along, whatever they are doing."""

    CALL = datetime(2026, 11, 24, 12, 2, tzinfo=UTC)
    LATER = datetime(2026, 11, 29, 12, 2, tzinfo=UTC)

    @pytest.mark.both_databases
    def test_between_claim_and_freeze(self, ready, monkeypatch):
        reminders = email_ids(enrol(ready, booked(self.CALL)))
        deliver(ready, reminders[1:2])
        ready.now.forward(seconds=61)
        compose = deliver_flow.compose

        def compose_while_the_call_is_moved(deps, email, sources):
            letter = compose(deps, email, sources)
            enrol(deps, booked(self.LATER))
            return letter

        monkeypatch.setattr(deliver_flow, "compose", compose_while_the_call_is_moved)
        deliver(ready, reminders[2:])
        last = look(ready, reminders[2])
        assert (last.state, last.due_at) == ("planned", self.LATER - timedelta(minutes=1))
        assert len(ready.mailer.calls) == 1

    def test_while_the_sequence_is_paused(self, ready):
        receipt = enrol(ready, booked(self.CALL + timedelta(days=1)))
        pause(ready, receipt.enrolment_id, "Olga")
        enrol(ready, booked(self.LATER))
        resume(ready, receipt.enrolment_id, "Olga")
        due = [look(ready, each).due_at for each in email_ids(receipt)]
        assert due == [self.LATER - timedelta(minutes=n) for n in (6, 3, 1)]


class TestWithdrawn:
    """A call that certainly went nowhere is withdrawn when an email of it is no longer wanted."""

    @pytest.mark.both_databases
    def test_who_left_while_the_quota_was_used_up_is_not_mailed_when_it_resets(self, ready):
        receipt = opt_in(ready)
        ready.mailer.script = [QUOTA]
        deliver(ready, email_ids(receipt)[:1])
        assert states(ready, receipt)[0] == "sending"
        with ready.reads() as session:
            token = contacts.find(session, "ana@resend.dev").unsubscribe_token
        unsubscribe(ready, token)
        pass_time(ready, hours=3)
        assert set(states(ready, receipt)) == {"cancelled"} and len(ready.mailer.calls) == 1

    def test_an_end_of_the_sequence_counts_too_and_the_others_of_the_batch_go(self, ready):
        receipts = [opt_in(ready, f"lead{n}@resend.dev") for n in range(5)]
        ready.mailer.script = [QUOTA]
        deliver_due(ready, email_ids(receipts[0])[0])
        assess(ready, "lead0@resend.dev")
        for _ in range(3):
            pass_time(ready, hours=3)
        assert states(ready, receipts[0])[0] == "cancelled"
        assert {states(ready, receipt)[0] for receipt in receipts[1:]} == {"sent"}

    def test_a_letter_that_waited_over_midnight_is_made_again_and_speaks_of_the_new_day(self, ready):
        write_templates(ready, "<p>{{ days_to_deadline }} days left</p>")
        receipt = opt_in(ready)
        ready.mailer.script = [QUOTA]
        deliver(ready, email_ids(receipt)[:1])
        pass_time(ready, hours=24)
        pass_time(ready, seconds=5)
        assert states(ready, receipt)[0] == "sent"
        tried = [payload["text"].split(" days")[0] for _, payloads in ready.mailer.calls for payload in payloads]
        assert tried == ["11", "10"]

    @pytest.mark.both_databases
    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ({"from_email": "BusinessX <hello@old.example>"}, {}),
            ({"reply_to": "nobody@old.example"}, {"reply_to": "ana@businessx.example"}),
            ({"public_url": "https://old.example"}, {}),
        ],
    )
    def test_a_letter_made_with_a_setting_that_was_fixed_is_made_again(self, ready, wrong, right):
        fixed = replace(ready.settings, **right)
        object.__setattr__(ready, "settings", replace(ready.settings, **wrong))
        receipt = opt_in(ready)
        ready.mailer.script = [NOT_VERIFIED]
        deliver(ready, email_ids(receipt)[:1])
        object.__setattr__(ready, "settings", fixed)
        pass_time(ready, minutes=10)
        pass_time(ready, seconds=5)
        assert states(ready, receipt)[0] == "sent"
        (sent,) = ready.mailer.sent()
        assert (sent["from"], sent.get("reply_to")) == (fixed.from_email, fixed.reply_to)
        assert f"<{fixed.public_url}/" in sent["headers"]["List-Unsubscribe"]

    def test_what_was_ever_in_doubt_is_never_withdrawn(self, ready):
        receipt = opt_in(ready)
        ready.mailer.script = [("lost", LOST), QUOTA]
        deliver(ready, email_ids(receipt)[:1])
        pass_time(ready, seconds=5)
        with ready.reads() as session:
            token = contacts.find(session, "ana@resend.dev").unsubscribe_token
        unsubscribe(ready, token)
        request = request_of(ready, email_ids(receipt)[0])
        assert request.state == "unknown"
        pass_time(ready, hours=3)
        assert states(ready, receipt)[0] == "ambiguous"

    def test_a_call_that_was_never_begun_is_not_in_doubt(self, ready, monkeypatch):
        first = leads(ready, 1)[0]

        def away(caller):
            raise Unavailable("redis", "away")

        monkeypatch.setattr(ready.rate, "wait", away)
        with pytest.raises(Unavailable):
            deliver(ready, [first])
        monkeypatch.undo()
        pass_time(ready, hours=2)
        assert look(ready, first).state == "sent"


class TestLate:
    """Lateness is counted once, and what is too late is said to be, held or not."""

    def test_a_step_that_is_frozen_again_moves_the_later_ones_once(self, ready):
        receipts = [opt_in(ready, f"lead{n}@resend.dev") for n in range(5)]
        second = look(ready, email_ids(receipts[0])[1]).due_at
        ready.now.forward(hours=1)
        ready.mailer.script = [REFUSED]
        deliver_due(ready, email_ids(receipts[0])[0])
        deliver_due(ready, email_ids(receipts[0])[0])
        assert look(ready, email_ids(receipts[0])[1]).due_at == second + timedelta(hours=1)

    def test_a_reminder_that_is_held_past_its_call_is_skipped(self, ready):
        ready.notebook.pages.clear()
        at = ready.now() + timedelta(minutes=7)
        receipt = enrol(ready, booked(at))
        ready.now.forward(minutes=1)
        deliver(ready, email_ids(receipt)[:1])
        assert states(ready, receipt)[0] == "held"
        ready.now.forward(hours=1)
        recheck_held(ready)
        assert states(ready, receipt)[0] == "skipped"

    @pytest.mark.both_databases
    def test_a_wait_for_the_window_keeps_the_lateness(self, ready, monkeypatch):
        first = leads(ready, 1)[0]
        with ready.sessions.begin() as session:
            enrolment = session.get_one(Enrolment, look(ready, first).enrolment_id)
            enrolment.mode = "live"
        sequence = ready.registry.campaign("christmas").sequences["lead_nurture"]
        object.__setattr__(ready, "settings", replace(ready.settings, testing_mode=False))
        object.__setattr__(sequence, "window", Window(time(8), time(9)))
        try:
            due = look(ready, first).due_at
            deliver(ready, [first])
            waiting = look(ready, first)
        finally:
            object.__setattr__(sequence, "window", None)
        assert (waiting.state, waiting.due_at) == ("planned", due) and waiting.next_attempt_at > ready.now()


def test_nothing_is_sent_to_a_person_who_was_erased(ready):
    first = leads(ready, 1)[0]
    ready.mailer.script = [REFUSED]
    deliver(ready, [first])
    with ready.reads() as session:
        contact = session.get_one(Contact, look(ready, first).enrolment.contact_id)
    erase(ready, contact.email)
    with pytest.raises(NotPossible, match=r"erased|ended"):
        retry(ready, first)
