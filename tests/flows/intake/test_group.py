"""Calls that come at the same time share a transaction on SQLite, and each has its own answer or its own fault."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import event, select

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import KeyReused, enrol
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent
from tests.factories import make_deps
from tests.flows.leads import call, count, email_ids, look
from tests.ledger.database.test_turns import until


def commits(engine) -> list[object]:
    """Return a list that gets an entry with each commit from now on."""
    done: list[object] = []
    event.listen(engine, "commit", done.append)
    return done


def together(deps, calls):
    """Let all of these calls wait for the writer's turn, then let them go; return what each got."""

    def one(made):
        try:
            return enrol(deps, made)
        except (KeyReused, TypeError) as fault:
            return fault

    with ThreadPoolExecutor(len(calls)) as callers:
        with deps.sessions.begin() as session:
            session.connection()
            answers = []
            for number, made in enumerate(calls, start=1):
                answers.append(callers.submit(one, made))
                until(lambda number=number: len(deps.intake._line) == number)
        return [answer.result() for answer in answers]


def test_calls_that_wait_together_are_committed_together(deps):
    done = commits(deps.engine)
    receipts = together(deps, [call(f"lead{n}@resend.dev") for n in range(8)])
    assert len(done) == 2  # the one that they waited for, and theirs
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


def test_a_call_by_itself_is_one_commit_on_each_database(deps):
    done = commits(deps.engine)
    assert enrol(deps, call()).status == "accepted"
    assert len(done) == 1 and not deps.intake._line
