"""Calls that come at the same time share a transaction on SQLite, and each has its own answer or its own fault."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event as ThreadEvent

from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.flows.intake import meaning
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.meaning import KeyReused
from funnel_app.ledger import batches, emails, requests
from funnel_app.ledger.database import engine as engines
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent
from funnel_app.ledger.models.types import new_id
from tests import in_line
from tests.factories import make_deps
from tests.flows.leads import call, count, email_ids, look
from tests.in_line import until
from tests.pace import patient


def commits(engine) -> list[object]:
    """Return a list that gets an entry with each commit from now on."""
    done: list[object] = []
    event.listen(engine, "commit", done.append)
    return done


def together(deps, calls):
    """Let these calls be taken by one group; return what each got, or its error."""
    return in_line.together(deps.intake, [partial(enrol, deps, made) for made in calls])


@contextmanager
def worked_out(monkeypatch):
    """Note how often calls are worked out, and yield a function that waits until they were once."""
    answer, rounds, once = meaning._answer, [], ThreadEvent()

    def noted(*given):
        found = answer(*given)
        rounds.append(given)
        once.set()
        return found

    monkeypatch.setattr(meaning, "_answer", noted)
    yield partial(once.wait, patient(30)), rounds
    monkeypatch.undo()


def test_calls_that_wait_together_are_committed_together(deps):
    done = commits(deps.engine)
    receipts = together(deps, [call(f"lead{n}@resend.dev") for n in range(8)])
    assert len(done) == 1
    assert {receipt.status for receipt in receipts} == {"accepted"}
    assert len({receipt.hook_id for receipt in receipts}) == 8 and count(deps, Email) == 40
    assert set(deps.queues.clock) == {id_ for receipt in receipts for id_ in email_ids(receipt)[1:]}


def test_each_call_of_a_group_sees_what_those_before_it_left(deps):
    opted_in, assessed, again = together(deps, [call(), call(event=Event.ASSESSMENT), call()])
    assert [each.status for each in (opted_in, assessed, again)] == ["accepted", "accepted", "duplicate"]
    assert again.enrolment_id == opted_in.enrolment_id
    first = look(deps, email_ids(opted_in)[0])
    assert (first.state, first.cancelled_at) == ("cancelled", deps.now())
    with deps.reads() as session:
        told = session.scalars(select(EmailEvent.kind).where(EmailEvent.email_id == first.id)).all()
    assert sorted(told) == ["cancelled", "planned"]


def test_a_call_that_the_ledger_refuses_costs_the_others_nothing(deps):
    broken = call("broken@resend.dev", payload={"what no JSON knows": object()})
    good, bad, other = together(deps, [call("ana@resend.dev"), broken, call("ben@resend.dev")])
    assert (good.status, other.status) == ("accepted", "accepted")
    assert isinstance(bad, TypeError) and count(deps, Contact) == 2


def test_one_key_twice_in_a_group_is_answered_as_the_first_time(deps):
    made = replace(call(), idempotency_key="k")
    first, same, other = together(deps, [made, made, replace(made, payload={"other": 1})])
    assert same.as_json() == first.as_json() and isinstance(other, KeyReused)
    assert count(deps, HookEvent) == 1


def test_eight_callers_of_two_processes_start_each_of_five_leads_once(sqlite):
    both = make_deps(sqlite), make_deps(sqlite)
    with ThreadPoolExecutor(8) as callers:
        receipts = list(callers.map(lambda n: enrol(both[n % 2], call(f"lead{n % 5}@resend.dev")), range(80)))
    assert Counter(receipt.status for receipt in receipts) == {"accepted": 5, "duplicate": 75}
    assert (count(both[0], Contact), count(both[0], Enrolment), count(both[0], Email)) == (5, 5, 25)


def test_what_a_call_means_is_worked_out_before_its_turn_and_not_again(sqlite, monkeypatch):
    deps = make_deps(sqlite)
    with worked_out(monkeypatch) as (_, rounds):
        assert enrol(deps, call()).status == "accepted"
        assert len(rounds) == 1


def test_what_somebody_else_wrote_while_a_call_waited_for_its_turn_counts(sqlite, monkeypatch):
    deps, other = make_deps(sqlite), make_deps(sqlite)
    with ThreadPoolExecutor(1) as callers, worked_out(monkeypatch) as (wait_until_worked_out, rounds):
        with sqlite.begin() as connection:
            waiting = callers.submit(enrol, deps, call())
            assert wait_until_worked_out()
            first = meaning.work_out(other, connection, [(call(),)])
            first.changes(connection).write(connection)
        receipt = waiting.result()
        assert receipt.status == "duplicate" and len(rounds) == 3
    assert receipt.enrolment_id == first.outcomes[0][0].receipt.enrolment_id
    assert (count(deps, Contact), count(deps, Enrolment), count(deps, Email)) == (1, 1, 5)


def test_an_email_that_began_to_go_while_its_call_was_being_moved_goes_once(sqlite, monkeypatch):
    deps = make_deps(sqlite)
    booked = call(event=Event.BOOKING, occurrence="event-1", call_at=deps.now() + timedelta(days=2))
    email_id = email_ids(enrol(deps, booked))[0]
    with deps.sessions.begin() as session:
        emails.move(session, session.get(Email, email_id), State.SENDING, deps.now())
    with ThreadPoolExecutor(1) as callers, worked_out(monkeypatch) as (wait_until_worked_out, rounds):
        with deps.sessions.begin() as session:
            session.connection()
            moving = callers.submit(enrol, deps, replace(booked, call_at=deps.now() + timedelta(days=3)))
            assert wait_until_worked_out()
            request = requests.add(session, "key", [email_id], deps.now(), new_id(), timedelta(seconds=60))
            batches.carry(session, [email_id], request.id)
        moving.result()
        assert len(rounds) == 2
    assert look(deps, email_id).state == "sending"


def test_what_waited_for_its_turn_for_long_is_worked_out_at_the_moment_that_it_comes(sqlite, monkeypatch):
    deps, late = make_deps(sqlite), []
    waiting = replace(deps, now=lambda: deps.now() + sum(late, timedelta()))
    with ThreadPoolExecutor(1) as callers, worked_out(monkeypatch) as (wait_until_worked_out, rounds):
        with sqlite.begin():
            answer = callers.submit(enrol, waiting, call())
            assert wait_until_worked_out()
            late.append(timedelta(hours=3))
        assert answer.result().status == "accepted" and len(rounds) == 2
    with deps.reads() as session:
        assert session.scalar(select(HookEvent.received_at)) == deps.now() + timedelta(hours=3)


def test_one_who_joins_and_is_refused_by_the_ledger_costs_the_others_nothing(sqlite, monkeypatch):
    deps = make_deps(sqlite)
    with ThreadPoolExecutor(2) as callers, worked_out(monkeypatch) as (wait_until_worked_out, _):
        with sqlite.begin():
            good = callers.submit(enrol, deps, call())
            assert wait_until_worked_out()
            bad = callers.submit(enrol, deps, call("broken@resend.dev", payload={"what no JSON knows": object()}))
            until(lambda: len(deps.intake._line) == 1)
        assert good.result().status == "accepted" and isinstance(bad.exception(), TypeError)
    assert (count(deps, Contact), count(deps, Email)) == (1, 5)


def test_a_ledger_that_is_away_is_waited_for_once_and_told_to_all(sqlite, monkeypatch):
    monkeypatch.setattr(engines, "PRAGMAS", (*engines.PRAGMAS, "busy_timeout=0"))
    engine = open_engine(sqlite.url.render_as_string(hide_password=False))
    deps, take_turn, tries = make_deps(engine), engines._take_turn, []
    with sqlite.begin() as connection:
        # As a program that is none of ours holds it.
        connection.connection.dbapi_connection.give_turn_back()
        monkeypatch.setattr(engines, "_take_turn", lambda line: (tries.append(line), take_turn(line)))
        answers = together(deps, [call(f"lead{n}@resend.dev") for n in range(3)])
    assert [type(each) for each in answers] == [OperationalError] * 3 and len(tries) == 1
    engine.dispose()


def test_what_somebody_else_wrote_of_another_person_changes_nothing(sqlite, monkeypatch):
    deps, other = make_deps(sqlite), make_deps(sqlite)
    with ThreadPoolExecutor(1) as callers, worked_out(monkeypatch) as (wait_until_worked_out, rounds):
        with sqlite.begin() as connection:
            waiting = callers.submit(enrol, deps, call())
            assert wait_until_worked_out()
            first = meaning.work_out(other, connection, [(call("ben@resend.dev"),)])
            first.changes(connection).write(connection)
        assert waiting.result().status == "accepted" and len(rounds) == 2
    assert (count(deps, Contact), count(deps, Enrolment), count(deps, Email)) == (2, 2, 10)


def test_who_comes_while_others_wait_for_their_turn_joins_them(sqlite, monkeypatch):
    deps = make_deps(sqlite)
    with ThreadPoolExecutor(4) as callers, worked_out(monkeypatch) as (wait_until_worked_out, _):
        with sqlite.begin():
            waiting = [callers.submit(enrol, deps, call())]
            assert wait_until_worked_out()
            for number, made in enumerate([call("ben@resend.dev"), call(), call("ben@resend.dev")], start=1):
                waiting.append(callers.submit(enrol, deps, made))
                until(lambda number=number: len(deps.intake._line) == number)
            done = commits(sqlite)
        assert [each.result().status for each in waiting] == ["accepted", "accepted", "duplicate", "duplicate"]
    assert len(done) == 2  # theirs, and the one that they waited for
    assert (count(deps, Contact), count(deps, Enrolment), count(deps, Email)) == (2, 2, 10)


def test_a_call_by_itself_is_one_commit_on_each_database(deps):
    done = commits(deps.engine)
    assert enrol(deps, call()).status == "accepted"
    assert len(done) == 1 and not deps.intake._line
