"""The ledger's verbs: what gets raises, what finds may find nothing, and what claims wins once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.exc import NoResultFound
from structlog.testing import capture_logs

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import IllegalTransition, State
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.sending.deliver import deliver
from funnel_app.ledger import (
    batches,
    bookings,
    contacts,
    email_events,
    emails,
    enrolments,
    hook_events,
    messages,
    receivers,
    requests,
    template_versions,
)
from funnel_app.ledger.database import driver
from funnel_app.ledger.models import EnrolmentState
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.queries import watching
from tests.flows.leads import WorkerDied, assess, call, die, email_ids, look, opt_in, request_of, write_templates

LEASE = timedelta(seconds=15)
TEST = ("test",)


def by(now, **more) -> batches.Claim:
    return batches.Claim(**{"token": new_id(), "now": now, "until": now + LEASE, "modes": TEST, "most": 100, **more})


@pytest.mark.both_databases
def test_of_many_claims_each_email_is_won_once(deps):
    due = [email_ids(opt_in(deps, f"lead{n}@resend.dev"))[0] for n in range(5)]

    def claim(_):
        with deps.sessions.begin() as session:
            return [e.id for e in batches.claim(session, due, by(deps.now()))]

    with ThreadPoolExecutor(8) as claimers:
        won = [email_id for batch in claimers.map(claim, range(8)) for email_id in batch]
    assert sorted(won) == sorted(due)


def test_a_move_is_logged_once_it_is_committed_and_never_where_it_is_not(deps):
    (first, *_) = email_ids(opt_in(deps))

    def hold() -> None:
        (email,) = emails.load(session, [first])
        emails.move(session, email, State.HELD, deps.now(), "for a test")

    with capture_logs() as lines, pytest.raises(KeyError), deps.sessions.begin() as session:
        hold()
        raise KeyError
    assert lines == []
    with capture_logs() as lines:
        with deps.sessions.begin() as session:
            hold()
            assert lines == []
        with deps.sessions.begin() as session:
            emails.load(session, [first])
    assert [(line["event"], line["email"], line["state"]) for line in lines] == [("email_moved", str(first), "held")]


@pytest.mark.both_databases
def test_a_claim_wins_only_what_is_due_of_its_mode_and_of_a_running_enrolment(deps):
    receipt = opt_in(deps)
    ids, now = email_ids(receipt), deps.now()

    def claim(at, modes):
        with deps.sessions() as session:
            won = [email.id for email in batches.claim(session, ids, by(at, modes=modes))]
            session.rollback()
            return won

    assert claim(now - timedelta(seconds=1), TEST) == []
    assert claim(now, ("live",)) == []
    assert claim(now + timedelta(days=1), TEST) == ids[:1], "the later ones wait for the first"
    with deps.sessions.begin() as session:
        enrolment = enrolments.running(session, look(deps, ids[0]).enrolment.contact_id)[0]
        enrolment.state = EnrolmentState.PAUSED
    assert claim(now, TEST) == []


@pytest.mark.both_databases
def test_a_lease_is_renewed_only_by_its_holder(deps):
    first = email_ids(opt_in(deps))[0]
    token = new_id()
    with deps.sessions.begin() as session:
        batches.claim(session, [first], by(deps.now(), token=token))
        later = deps.now() + timedelta(minutes=1)
        assert batches.renew(session, [first], new_id(), later) == 0
        assert batches.renew(session, [first], token, later) == 1
        assert emails.abandoned(session, later, 10) == []
        assert emails.abandoned(session, later + timedelta(seconds=1), 10) == [first]
        assert [email.id for email in batches.mine(session, [first], token)] == [first]
        assert batches.mine(session, [first], new_id()) == []


@pytest.mark.both_databases
def test_a_move_that_the_table_forbids_raises_and_changes_nothing(deps):
    first = email_ids(opt_in(deps))[0]
    with pytest.raises(IllegalTransition), deps.sessions.begin() as session:
        emails.move(session, emails.load(session, [first])[0], State.FAILED, deps.now())
    assert look(deps, first).state == "planned"


@pytest.mark.both_databases
def test_a_request_is_taken_by_one(deps, monkeypatch):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    monkeypatch.setattr("funnel_app.flows.sending.deliver.submit", die)
    with pytest.raises(WorkerDied):
        deliver(deps, [first])
    request_id, later = request_of(deps, first).id, deps.now() + timedelta(seconds=20)

    def take(_):
        with deps.sessions.begin() as session:
            taken = requests.take(session, request_id, later)
            if taken is not None:
                requests.begin_try(taken, later, new_id(), LEASE)
            return taken is not None

    with ThreadPoolExecutor(8) as takers:
        assert sum(takers.map(take, range(8))) == 1


@pytest.mark.both_databases
def test_of_failures_at_once_each_is_counted_the_very_first_ones_too(deps):
    def fail(_):
        with deps.sessions.begin() as session:
            receivers.rest(receivers.lock(session, "new"), deps.now(), deps.now() + LEASE, "away")

    with ThreadPoolExecutor(8) as processes:
        list(processes.map(fail, range(16)))
    with deps.reads() as session:
        assert receivers.find(session, "new").failures == 16


@pytest.mark.both_databases
def test_what_gets_raises_for_nothing(deps):
    with deps.reads() as session:
        for get in (requests.get, template_versions.get):
            with pytest.raises(NoResultFound):
                get(session, uuid4())


@pytest.mark.both_databases
def test_what_finds_may_find_nothing(deps):
    with deps.reads() as session:
        assert contacts.find(session, "nobody@resend.dev") is None
        assert contacts.find_by_token(session, "nobody") is None
        assert emails.find_by_resend_id(session, "nobody") is None
        assert enrolments.find_latest(session, uuid4(), "christmas", "five_day", "") is None
        assert template_versions.find_latest(session, "k") is None
        assert messages.latest_of(session, uuid4()) is None


@pytest.mark.both_databases
def test_the_newest_message_of_an_email_is_what_went_out(deps):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    with deps.reads() as session:
        message = messages.latest_of(session, first)
        assert (message.freeze, message.subject) == (1, "About lead_nurture_email_1")
        assert template_versions.get(session, message.template_version_id).key == "lead_nurture_email_1"


@pytest.mark.both_databases
def test_ending_an_enrolment_twice_keeps_the_first_reason(deps):
    first = email_ids(opt_in(deps))[0]
    with deps.sessions.begin() as session:
        enrolment = emails.load(session, [first])[0].enrolment
        enrolments.end(session, enrolment, EnrolmentState.EXITED, "booked a call", deps.now())
        enrolments.end(session, enrolment, EnrolmentState.COMPLETED, None, deps.now())
        assert (enrolment.state, enrolment.exit_reason) == ("exited", "booked a call")


@pytest.mark.both_databases
def test_what_a_hook_leaves_out_of_a_contact_stays(deps):
    opt_in(deps)
    facts = {"first_name": None, "business_name": "Salon Ana", "utm_source": "instagram"}
    with deps.sessions.begin() as session:
        contacts.upsert(session, "ana@resend.dev", "ana@resend.dev", facts, deps.now())
    with deps.reads() as session:
        ana = contacts.find(session, "ana@resend.dev")
    assert (ana.first_name, ana.business_name, ana.properties) == ("Ana", "Salon Ana", {"utm_source": "instagram"})


@pytest.mark.both_databases
def test_evidence_of_consent_is_one_sources_whole(deps):
    opt_in(deps)
    told = [
        ({"consent_text": "Yes", "consent_ip": "203.0.113.7"}, ("Yes", None, "203.0.113.7")),
        ({"consent_source": "notion", "consent_ip": "198.51.100.1"}, ("Yes", None, "203.0.113.7")),
        ({"consent_text": "Sure", "consent_source": "notion"}, ("Sure", "notion", None)),
    ]
    for facts, kept in told:
        with deps.sessions.begin() as session:
            ana = contacts.upsert(session, "ana@resend.dev", "ana@resend.dev", facts, deps.now())
            assert (ana.consent_text, ana.consent_source, ana.consent_ip) == kept


def test_refused_calls_are_found_by_their_own_index(deps):
    """History costs nothing: SQLite takes a partial index only where its condition is written out in the statement."""
    refuse(deps, campaign="christmas", hook="signup", payload={}, errors={"email": ["missing"]})
    later, asked = deps.now() + timedelta(days=31), []
    with deps.sessions.begin() as session, patch.object(driver, "ask", wraps=driver.ask) as worded:
        line = session.connection().connection.driver_connection
        line.set_trace_callback(asked.append)
        old = hook_events.refused_before(session, later, 10)
        assert hook_events.refused_bytes(session, ("christmas", "signup", "website"), deps.now())
        assert hook_events.find_refused(session, "none") is None
        assert hook_events.newest_refused(session, deps.now(), 1)
        assert hook_events.delete_refused(session, old) == 1
        line.set_trace_callback(None)
        found = [each for each in asked if each.startswith(("SELECT", "DELETE"))]
        plans = [" ".join(row[3] for row in line.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in found]
    assert ["ix_hook_events_refused" in plan for plan in plans] == [True, True, True, True, False]
    assert not any(slow in " ".join(plans) for slow in ("SCAN", "TEMP B-TREE")), plans
    # In the trace each value is written out; what is asked so often has the condition in its own words.
    selects = [text for _, text, *_ in (call.args for call in worded.mock_calls) if text.startswith("SELECT")]
    assert len(selects) == 2 and all("= 'refused'" in text for text in selects)


def test_what_was_heard_of_a_person_is_found_by_the_person(deps):
    """A hook costs the same however many calls of its kind there were: no index leads to everybody's."""
    opt_in(deps)
    with patch.object(driver, "ask", wraps=driver.ask) as asked:
        assess(deps)
    before_the_turn, in_it = [each.args[1:] for each in asked.mock_calls if "hook_events.contact_id IN" in each.args[1]]
    assert before_the_turn == in_it
    with deps.reads() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {in_it[0]}", in_it[1]).all()
    assert "contact_id=?" in plan[0][3], plan


@pytest.mark.both_databases
def test_refused_calls_are_found_when_their_time_is_over(deps):
    refuse(deps, campaign="christmas", hook="signup", payload={}, errors={"email": ["missing"]})
    with deps.reads() as session:
        assert not hook_events.refused_before(session, deps.now(), 10)
        assert len(hook_events.refused_before(session, deps.now() + timedelta(days=30), 10)) == 1


@pytest.mark.both_databases
def test_a_call_that_is_told_twice_counts_once_and_only_in_its_mode(deps):
    for occurrence in ("event-1", "event-1", "event-2"):
        enrol(deps, call(event=Event.BOOKING, occurrence=occurrence, call_at=deps.now()))
    with deps.reads() as session:
        assert bookings.count(session, "christmas", "test") == 2
        assert bookings.count(session, "christmas", "live") == 0


def test_a_ledger_without_a_single_report_is_not_searched_for_the_last_one(deps):
    """A watch asks it each half minute, and a year of events without a webhook would be read each time."""
    opt_in(deps)
    asked = []
    event.listen(deps.engine, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
    with deps.reads() as session:
        assert watching.last_report_at(session) is None
        (only,) = [each for each in asked if each[0].startswith("SELECT")]
        (plan,) = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {only[0]}", only[1]).all()
    assert "provider_event_id>?" in plan[3], plan


def test_an_email_is_found_by_its_call_and_by_resends_id_though_only_those_begun_are_indexed(deps):
    asked: list[str] = []
    with deps.reads() as session:
        line = session.connection().connection.driver_connection
        line.set_trace_callback(asked.append)
        assert emails.find_by_resend_id(session, "none") is None
        assert batches.unheard(session, new_id()) == set()
        assert email_events.orphans_of_known(session, deps.now(), 1) == []
        line.set_trace_callback(None)
        found = [each for each in asked if each.startswith("SELECT")]
        plans = [" ".join(row[3] for row in line.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in found]
    wanted = ("ix_emails_resend_id", "ix_emails_request_id", "ix_emails_resend_id")
    assert [name in plan for name, plan in zip(wanted, plans, strict=True)] == [True, True, True], plans
    assert not any("SCAN emails" in plan for plan in plans), plans
