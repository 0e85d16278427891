"""What is due next is found by indexes in PostgreSQL, whatever its statistics say of the tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from funnel_app.ledger import (
    batches,
    contacts,
    email_events,
    emails,
    enrolments,
    frequency,
    messages,
    mirrored,
    notices,
    outgoing_events,
    received_emails,
    requests,
)
from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.queries import counts

LEADS, STEPS, FEW = 4000, 5, 20
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SOON, MODES = timedelta(seconds=30), ("live", "test")
MIRRORS = mirrored.Mirrors(contacts=True, sequences=True)
CLAIM = batches.Claim(token=new_id(), now=NOW, until=NOW + SOON, modes=MODES, most=100)
# Every lead has a first email that is due, four to come, and an event that waits for a receiver.
LEAD = """
CREATE TEMPORARY TABLE lead AS SELECT :tag || number AS name, gen_random_uuid() AS contact, gen_random_uuid() AS run
FROM generate_series(1, :count) number;
INSERT INTO contacts (id, email, email_norm, properties, unsubscribe_token, created_at, updated_at, mirror_stale_since)
SELECT contact, name || '@resend.dev', name || '@resend.dev', '{}', name, :now, :now, :now + interval '1 hour'
FROM lead;
INSERT INTO enrolments (id, contact_id, campaign, sequence, occurrence, run, mode, kind, anchor_at, deadline, state,
 variables, created_at, mirror_stale_since)
SELECT run, contact, 'christmas', 'lead_nurture', '', 1, 'live', 'marketing', :now, :now, 'active', '{}', :now, :now
FROM lead;
INSERT INTO emails (id, enrolment_id, step, template_key, due_at, state, attempts, freezes)
SELECT gen_random_uuid(), run, step, 'lead_nurture_email_' || step,
 :now + (step - 1) * interval '1 day' - interval '1 minute', 'planned', 0, 0 FROM lead, generate_series(1, :steps) step;
INSERT INTO outgoing_events (id, event_id, receiver, contact_id, kind, at, facts, state, recorded_at, attempts)
SELECT gen_random_uuid(), gen_random_uuid(), 'website', contact, 'started', :now, '{}', 'waiting', :now, 0 FROM lead;
DROP TABLE lead;
"""


@pytest.fixture(params=["never made", "made of a few", "made of all"], scope="module")
def grown(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A ledger of PostgreSQL in which thousands are due, with statistics of this kind and no more."""
    # A worker makes it again where it takes over tests that another had left.
    engine = open_engine(request.getfixturevalue("postgres_server").migrated(f"grown_{new_id().hex}"))
    with engine.begin() as line:
        for table in ("contacts", "enrolments", "emails", "outgoing_events"):
            line.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
    add_leads(engine, "early", FEW)
    if request.param == "made of a few":
        analyse(engine)
    add_leads(engine, "lead", LEADS)
    if request.param == "made of all":
        analyse(engine)
    yield engine
    engine.dispose()


def analyse(engine: Engine) -> None:
    with engine.begin() as line:
        line.execute(text("ANALYZE"))


def add_leads(engine: Engine, tag: str, count: int) -> None:
    given = {"tag": tag, "count": count, "now": NOW, "steps": STEPS}
    with engine.begin() as line:
        for statement in LEAD.strip().removesuffix(";").split(";"):
            line.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})


def due(session: Session) -> list[Any]:
    return [email.id for email in emails.due(session, NOW, MODES, 50)]


def late_steps(session: Session) -> dict[Any, Any]:
    loaded = emails.load(session, due(session))
    return {email.enrolment_id: (email.step, SOON) for email in loaded}


ASKED: dict[str, Callable[[Session], object]] = {
    "due": lambda s: emails.due(s, NOW, MODES, 300, untried=True),
    "sweep: overdue": lambda s: emails.due(s, NOW, MODES, 1000),
    "sweep: abandoned": lambda s: emails.abandoned(s, NOW, 1000),
    "sweep: held": lambda s: emails.held(s, NOW, MODES, 1000),
    "sweep: missing on the clock": lambda s: emails.planned_between(s, NOW, NOW + timedelta(days=2), 1000),
    "sweep: requests": lambda s: requests.repeatable(s, NOW, 1000),
    "sweep: finished": lambda s: enrolments.finished(s, 1000),
    "sweep: bodies": lambda s: messages.with_body(s, NOW, 1000),
    "sweep: orphans": lambda s: email_events.orphans_of_known(s, NOW, 100),
    "sweep: left behind": lambda s: emails.left_behind(s, NOW, 100),
    "reconcile": lambda s: emails.unconfirmed(s, NOW, timedelta(minutes=3), 20),
    "mirror": lambda s: mirrored.stale(s, MIRRORS, NOW, NOW, 100),
    "receiver": lambda s: outgoing_events.take(s, "website", NOW, SOON, 16),
    "replies": lambda s: received_emails.take(s, NOW, SOON, 16),
    "notices": lambda s: notices.take(s, "alerts", NOW, SOON, 16),
    "watch: overdue": lambda s: counts.overdue(s, NOW, MODES),
    "watch: not gone": lambda s: counts.not_gone(s, NOW, NOW, MODES),
    "waiting": lambda s: batches.waiting(s, due(s)),
    "locks": lambda s: contacts.lock_of_emails(s, due(s)),
    "claim": lambda s: batches.claim(s, due(s), CLAIM),
    "freeze": lambda s: batches.undisturbed(s, due(s), CLAIM.token, NOW),
    "later steps": lambda s: batches.move_later_steps(s, late_steps(s)),
    "later steps of one": lambda s: emails.later_planned(s, emails.load(s, due(s))[0]),
    "limit": lambda s: frequency.waiting_for(s, emails.load(s, due(s))[0].enrolment.contact_id, NOW, MODES),
}

# Each goes by a time, or by a state that few have; the others go by ids, for which a small table may be read whole.
BY_TIME = {name for name in ASKED if name.split(":")[0] in {"due", "sweep", "watch", "reconcile", "receiver"}}
BY_TIME -= {"sweep: finished"}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_due_next_reads_no_row_twice(grown, name):
    """A plan that goes through a table for each email takes a hundred times as long for ten times as many.

    And none is compiled first, which takes longer than the statement.
    """
    with undone(grown) as session, noted(grown) as statements:
        ASKED[name](session)
    assert statements
    with undone(grown) as session:
        # A server compiles what it takes for dear, as soon as there is more than these few.
        session.execute(text("SET LOCAL jit_above_cost = 0"))
        for statement, values in statements:
            (plan,) = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).one()
            assert "JIT" not in plan[0], (statement, plan)
            steps = list(steps_of(plan[0]["Plan"]))
            most = max(looked_at(step) for step in steps)
            assert most <= (LEADS + FEW) * STEPS, (most, statement, plan)
            whole = [step for step in steps if "Seq Scan" in step["Node Type"] and looked_at(step) > 10 * FEW]
            assert not (name in BY_TIME and whole), (statement, plan)


@contextmanager
def undone(engine: Engine) -> Iterator[Session]:
    """A transaction of which nothing stays."""
    with make_sessions(engine)[0]() as session:
        yield session
        session.rollback()


@contextmanager
def noted(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements of a block, with their values; rows that are written one by one are left out."""
    found: list[tuple[str, Any]] = []

    def note(connection, cursor, statement, values, context, many) -> None:
        if not many:
            found.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps_of(below)


def looked_at(step: dict[str, Any]) -> int:
    removed = sum(step.get(f"Rows Removed by {by}", 0) for by in ("Filter", "Join Filter", "Index Recheck"))
    return int((step["Actual Rows"] + removed) * step["Actual Loops"])
