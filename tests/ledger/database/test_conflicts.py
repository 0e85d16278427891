"""A transaction that loses a deadlock is retried and ends well; every other error is raised at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.testing import capture_logs

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.ledger.database import conflicts
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Contact
from tests.flows.leads import call, opt_in
from tests.pace import patient

ANA, BEA = "ana@resend.dev", "bea@resend.dev"


pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture
def people(deps):
    for address in (ANA, BEA):
        opt_in(deps, address)
    return deps


def rename(deps, order, meet):
    """Lock two people one after the other, so that two that do it in other orders wait for each other in a circle."""
    with deps.sessions.begin() as session:
        for address in order:
            session.execute(
                text("UPDATE contacts SET name = coalesce(name, '') || 'x' WHERE email_norm = :address"),
                {"address": address},
            )
            meet_once(meet)


def meet_once(meet):
    """Wait for the other, but not where they have met: who is retried comes alone."""
    with suppress(BrokenBarrierError):
        meet.wait(patient(30))
        meet.abort()


def in_a_circle(deps, change):
    """Run a change for both orders at once, the first halves at the same moment."""
    meet = Barrier(2)
    with ThreadPoolExecutor(2) as both:
        done = [both.submit(change, deps, order, meet) for order in ((ANA, BEA), (BEA, ANA))]
    return [each.exception() for each in done]


@pytest.mark.both_databases
def test_a_real_deadlock_ends_one_transaction(people):
    lost = [error for error in in_a_circle(people, rename) if error]
    assert len(lost) == 1 and isinstance(lost[0], DBAPIError) and conflicts.conflict(lost[0]) == "40P01"


@pytest.mark.both_databases
def test_the_victim_is_retried_and_both_end_well(people):
    with capture_logs() as logs:
        assert in_a_circle(people, retry_on_conflict(rename)) == [None, None]
    told = [entry for entry in logs if entry["event"] == "transaction_retried"]
    assert [entry["conflict"] for entry in told] == ["40P01"] and told[0]["flow"] == "rename"
    with people.reads() as session:
        assert {contact.name for contact in session.query(Contact)} == {"xx"}, "each change is there once"


@pytest.mark.both_databases
def test_a_transaction_that_could_not_be_put_in_line_is_retried(people):
    meet = Barrier(2)

    def count_and_write(deps):
        with deps.sessions.begin() as session:
            session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
            seen = session.scalar(text("SELECT sum(length(coalesce(name, ''))) FROM contacts"))
            meet_once(meet)
            session.execute(text("UPDATE contacts SET name = :name"), {"name": "y" * (seen + 1)})

    with ThreadPoolExecutor(2) as both:
        done = [both.submit(retry_on_conflict(count_and_write), people) for _ in range(2)]
    assert [each.exception() for each in done] == [None, None]
    with people.reads() as session:
        assert {contact.name for contact in session.query(Contact)} == {"yyy"}, "the second saw what the first wrote"


@pytest.mark.both_databases
def test_other_errors_are_raised_at_once_and_a_conflict_after_five_tries(people, monkeypatch):
    monkeypatch.setattr(conflicts, "LONGEST_PAUSE_S", 0)
    tries = []

    @retry_on_conflict
    def fail(statement):
        tries.append(statement)
        with people.sessions.begin() as session:
            session.execute(text(statement))

    with pytest.raises(DBAPIError):
        fail("SELECT nothing FROM nowhere")
    assert len(tries) == 1
    with pytest.raises(OperationalError, match="deadlock"):
        fail("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")
    assert len(tries) == 1 + conflicts.TRIES


@pytest.mark.both_databases
def test_events_of_several_people_in_any_order_never_wait_in_a_circle(people):
    """Cal.com tells of a call with several guests in whatever order it likes."""
    with capture_logs() as logs, ThreadPoolExecutor(8) as callers:
        orders = [(ANA, BEA), (BEA, ANA)] * 20
        done = [
            callers.submit(
                enrol, people, *(call(address, Event.BOOKING_CANCELLED, occurrence=f"{n}") for address in order)
            )
            for n, order in enumerate(orders)
        ]
        assert {each.result().status for each in done} == {"accepted"}
    assert not [entry for entry in logs if entry["event"] == "transaction_retried"]
