"""Record event: what Resend reports is kept once, whenever it comes, and only ever moves an email forward."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.reasons import with_words
from funnel_app.campaigns.states import REPORTED_BY_PROVIDER, SOFT_BOUNCE
from funnel_app.flows.console.intervene import retry
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.recheck import recheck_held
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import email_events
from funnel_app.ledger.models import EmailEvent, Suppression
from funnel_app.rules.reports import Report
from tests.flows.leads import call, email_ids, kinds, look, opt_in, states, write_templates


def report(deps, email_id=None, kind="email.delivered", **more) -> Report:
    values = {
        "provider_event_id": f"msg_{uuid4()}",
        "at": deps.now(),
        "resend_id": None,
        "detail": None,
        "email_id": email_id,
        "kind": kind,
    }
    return Report(**{**values, **more})


def sent(deps, address="ana@resend.dev"):
    receipt = opt_in(deps, address)
    deliver(deps, email_ids(receipt)[:1])
    return receipt


def timeline(deps, email_id):
    with deps.reads() as session:
        return email_events.of_emails(session, [email_id])[email_id]


def test_a_delivery_moves_the_email_to_delivered_with_its_time(ready):
    first = email_ids(sent(ready))[0]
    ready.now.forward(seconds=5)
    assert record_event(ready, report(ready, first)) is True
    delivered = look(ready, first)
    assert (delivered.state, delivered.delivered_at) == ("delivered", ready.now())
    assert kinds(timeline(ready, first)) == ["planned", "sending", "sent", "email.delivered", "delivered"]


def test_the_same_report_counts_once(ready):
    first = email_ids(sent(ready))[0]
    told = report(ready, first)
    assert [record_event(ready, told) for _ in range(3)] == [True, False, False]
    assert kinds(timeline(ready, first)).count("email.delivered") == 1


@pytest.mark.both_databases
def test_reports_that_come_together_are_each_kept_once(ready):
    """Whoever writes for those who wait beside it does as if each had come alone, a repeated one among them."""
    emails = [email_ids(sent(ready, f"lead{n}@resend.dev"))[0] for n in range(6)]
    told = [report(ready, email_id, kind) for email_id in emails for kind in ("email.sent", "email.delivered")]
    with ThreadPoolExecutor(8) as callers:
        fresh = list(callers.map(lambda each: record_event(ready, each), [*told, *told]))
    assert sum(fresh) == len(told)
    assert {look(ready, email_id).state for email_id in emails} == {"delivered"}
    assert all(kinds(timeline(ready, email_id)).count("email.delivered") == 1 for email_id in emails)


def test_an_email_is_found_by_resends_id_where_the_tag_is_missing(ready):
    first = email_ids(sent(ready))[0]
    record_event(ready, report(ready, resend_id=look(ready, first).resend_id))
    assert look(ready, first).state == "delivered"


@pytest.mark.both_databases
def test_a_delivery_before_our_own_record_is_not_lost_and_not_moved_back(ready):
    first = email_ids(opt_in(ready))[0]
    ready.mailer.script = [lambda: record_event(ready, report(ready, first, resend_id="resend-0-0"))]
    deliver(ready, [first])
    found = look(ready, first)
    assert (found.state, found.resend_id) == ("delivered", "resend-0-0")
    assert found.sent_at is not None
    assert "sent" not in kinds(timeline(ready, first))


@pytest.mark.both_databases
def test_a_delivery_settles_an_email_whose_answer_was_lost(ready):
    first = email_ids(opt_in(ready))[0]
    ready.mailer.script = [Answer(AnswerKind.CONFLICT, detail="409")]
    deliver(ready, [first])
    assert look(ready, first).state == "ambiguous"
    record_event(ready, report(ready, first, resend_id="resend-9"))
    assert (look(ready, first).state, look(ready, first).resend_id) == ("delivered", "resend-9")


@pytest.mark.parametrize(
    ("order", "ends"),
    [
        (("email.delivered", "email.sent"), "delivered"),
        (("email.delivered", "email.delivery_delayed"), "delivered"),
        (("email.delivery_delayed", "email.delivered"), "delivered"),
        (("email.complained", "email.delivered", "email.bounced"), "complained"),
        (("email.bounced", "email.delivered"), "bounced"),
        (("email.delivered", "email.opened", "email.clicked"), "delivered"),
        (("email.failed",), "failed"),
    ],
)
def test_reports_only_move_forward_in_any_order(ready, order, ends):
    first = email_ids(sent(ready))[0]
    for kind in order:
        record_event(ready, report(ready, first, kind))
    assert look(ready, first).state == ends
    assert [kind for kind in kinds(timeline(ready, first)) if kind.startswith("email.")] == list(order)


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", ["email.sent", "email.delivery_delayed", "email.delivered", "email.complained"])
def test_what_waits_to_be_sent_and_is_reported_has_gone_and_does_not_go_again(ready, kind):
    """Nothing but a letter that was handed over carries the tag by which Resend's report names an email."""
    first = email_ids(opt_in(ready))[0]
    record_event(ready, report(ready, first, kind, resend_id="resend-7"))
    ready.now.forward(days=2)
    deliver(ready, [first])
    found = look(ready, first)
    assert (found.state, found.resend_id, ready.mailer.calls) == (REPORTED_BY_PROVIDER[kind], "resend-7", [])
    assert found.sent_at == ready.now() - timedelta(days=2)


@pytest.mark.both_databases
def test_what_is_held_and_is_reported_has_gone_too(deps):
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    assert look(deps, first).state == "held"
    record_event(deps, report(deps, first))
    write_templates(deps)
    deps.now.forward(days=2)
    recheck_held(deps)
    assert (look(deps, first).state, deps.mailer.calls) == ("delivered", [])


def test_a_failure_leaves_what_waits_to_be_sent_since_nothing_went_out(ready):
    first = email_ids(opt_in(ready))[0]
    record_event(ready, report(ready, first, "email.failed"))
    assert look(ready, first).state == "planned"


def test_no_report_brings_back_what_was_cancelled(ready):
    receipt = opt_in(ready)
    enrol(ready, call(event=Event.ONBOARDING, call_at=ready.now()))
    record_event(ready, report(ready, email_ids(receipt)[0]))
    assert states(ready, receipt)[0] == "cancelled"


@pytest.mark.both_databases
def test_a_report_of_an_unknown_email_is_kept(ready):
    assert record_event(ready, report(ready, uuid4(), resend_id="somebody-elses")) is True
    with ready.reads() as session:
        kept = session.scalars(select(EmailEvent)).one()
    assert (kept.email_id, kept.resend_id, kept.kind) == (None, "somebody-elses", "email.delivered")


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("email.bounced", "bounced", "the address bounced: mailbox does not exist"),
        ("email.complained", "complained", "its reader marked an email as spam"),
        ("email.suppressed", "suppressed", "Resend does not mail the address"),
    ],
)
def test_an_address_that_must_not_be_mailed_ends_everything(ready, kind, state, reason):
    receipt = sent(ready)
    booked = enrol(ready, call(event=Event.ONBOARDING, call_at=ready.now()))
    told = with_words("mailbox does not exist", "550 5.1.1 unknown")
    record_event(ready, report(ready, email_ids(receipt)[0], kind, detail=told))
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == (state, "mailbox does not exist")
    assert told in [event.detail for event in timeline(ready, first.id)], "the server's own words are kept"
    assert set(states(ready, receipt)[1:]) == {"cancelled"}
    assert set(states(ready, booked)) == {"cancelled"}
    with ready.reads() as session:
        suppression = session.scalars(select(Suppression)).one()
    assert (suppression.scope, suppression.reason, suppression.source) == ("all", reason, f"resend:{kind}")


def test_a_transient_bounce_is_a_delay_and_suppresses_nobody(ready):
    receipt = sent(ready)
    record_event(ready, report(ready, email_ids(receipt)[0], SOFT_BOUNCE, detail="mailbox full"))
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == ("delayed", "mailbox full")
    assert set(states(ready, receipt)[1:]) == {"planned"}
    with ready.reads() as session:
        assert session.scalars(select(Suppression)).all() == []


class TestSentAgain:
    """After a person had a failed email sent again, what is reported of the try before is not of the present one."""

    @pytest.fixture
    def again(self, ready):
        """A first email that Resend took as resend-0-0 and could not send, planned again by a person."""
        first = email_ids(sent(ready))[0]
        record_event(ready, report(ready, first, "email.failed", resend_id="resend-0-0"))
        ready.now.forward(minutes=5)
        retry(ready, first)
        return first

    @pytest.mark.parametrize("kind", ["email.sent", "email.delivery_delayed", "email.failed", SOFT_BOUNCE])
    def test_a_late_report_of_how_the_old_try_went_moves_nothing(self, ready, again, kind):
        assert record_event(ready, report(ready, again, kind, resend_id="resend-0-0")), "it is kept"
        assert (look(ready, again).state, look(ready, again).resend_id) == ("planned", None)
        deliver(ready, [again])
        record_event(ready, report(ready, again, kind, resend_id="resend-0-0"))
        assert (look(ready, again).state, look(ready, again).resend_id) == ("sent", "resend-1-0")
        record_event(ready, report(ready, again, resend_id="resend-1-0"))
        assert look(ready, again).state == "delivered"
        assert ledger_stats(ready)["duplicates"] == 0

    def test_a_late_report_while_the_new_try_is_in_the_air_moves_nothing(self, ready, again):
        ready.mailer.script = [
            lambda: record_event(ready, report(ready, again, "email.failed", resend_id="resend-0-0"))
        ]
        deliver(ready, [again])
        assert (look(ready, again).state, look(ready, again).resend_id) == ("sent", "resend-1-0")

    @pytest.mark.both_databases
    def test_that_the_old_try_arrived_after_all_is_believed_and_nothing_goes_again(self, ready, again):
        record_event(ready, report(ready, again, resend_id="resend-0-0"))
        assert look(ready, again).state == "delivered"
        deliver(ready, [again])
        assert len(ready.mailer.accepted) == 1

    def test_that_both_arrived_is_counted_as_once_too_often(self, ready, again):
        deliver(ready, [again])
        for resend_id in ("resend-0-0", "resend-1-0"):
            record_event(ready, report(ready, again, resend_id=resend_id))
        assert ledger_stats(ready)["duplicates"] == 1

    def test_what_the_old_try_taught_of_the_address_holds(self, ready, again):
        record_event(ready, report(ready, again, "email.bounced", resend_id="resend-0-0"))
        assert look(ready, again).state == "bounced"

    def test_the_new_try_is_asked_after_again(self, ready, again):
        deliver(ready, [again])
        ready.mailer.last_events = {"resend-0-0": "failed", "resend-1-0": "failed"}
        ready.now.forward(minutes=4)
        reconcile(ready)
        assert look(ready, again).state == "failed"
        ready.now.forward(minutes=5)
        retry(ready, again)
        deliver(ready, [again])
        ready.mailer.last_events["resend-2-0"] = "failed"
        ready.now.forward(minutes=4)
        reconcile(ready)
        assert look(ready, again).state == "failed", "the same answer of another try is news"
