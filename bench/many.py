"""Measure the sweep's queries over a ledger with 100,000 enrolments: `python -m bench.many [COUNT] [DATABASE_URL]`."""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, Uuid, insert, text

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.plan_text import plan_of
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.states import State
from funnel_app.ledger import emails, enrolments, messages, requests
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.queries import counts
from sandbox.command_line import command_line

AT_A_TIME = 1000
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
RUNNING = 10  # one enrolment in so many is still running
STEPS = 5
TABLES: tuple[Any, ...] = (Contact, Enrolment, Email, EmailEvent)
SAMPLE = 5000
# No two rows have the same.
OF_ONE = {"email", "email_norm", "unsubscribe_token", "resend_id"}


def rows(numbers: range) -> Iterator[dict[type, list[dict[str, Any]]]]:
    """Yield the rows of each enrolment by its number."""
    for number in numbers:
        contact, enrolment = new_id(), new_id()
        runs = number % RUNNING == 0
        began = NOW - timedelta(days=2 if runs else 60, seconds=number % 86400)
        yield {
            Contact: [
                {
                    "id": contact,
                    "email": f"lead{number}@resend.dev",
                    "email_norm": f"lead{number}@resend.dev",
                    "properties": {"assessment_score": 38, "red_systems": 2},
                    "unsubscribe_token": contact.hex,
                    "created_at": began,
                    "updated_at": began,
                }
            ],
            Enrolment: [
                {
                    "id": enrolment,
                    "contact_id": contact,
                    "campaign": "christmas",
                    "sequence": "five_day",
                    "mode": "live",
                    "kind": "marketing",
                    "anchor_at": began,
                    "deadline": NOW.date(),
                    "state": "active" if runs else "completed",
                    "variables": {"assessment_score": 38, "red_systems": 2, "weakest_system_1": "Money"},
                    "created_at": began,
                    "ended_at": None if runs else began + timedelta(days=5),
                }
            ],
            **_emails(enrolment, began, runs),
        }


def _emails(enrolment: Any, began: datetime, runs: bool) -> dict[type, list[dict[str, Any]]]:
    mails, events = [], []
    for step in range(1, STEPS + 1):
        due = began + timedelta(days=step - 1)
        delivered = not runs or due < NOW - timedelta(minutes=30)
        email_id = new_id()
        state = "delivered" if delivered else "planned"
        mails.append(
            {
                "id": email_id,
                "enrolment_id": enrolment,
                "step": step,
                "template_key": f"christmas_email_{step}",
                "due_at": due,
                "state": state,
                "attempts": int(delivered),
                "freezes": int(delivered),
                "resend_id": email_id.hex if delivered else None,
                "planned_at": began,
                "sent_at": due if delivered else None,
                "delivered_at": due if delivered else None,
            }
        )
        kinds = ("planned", "sending", "sent", "email.delivered", "delivered") if delivered else ("planned",)
        events += [
            {
                "id": new_id(),
                "email_id": email_id,
                "resend_id": email_id.hex if kind.startswith("email.") else None,
                "kind": kind,
                "at": due,
                "recorded_at": due,
            }
            for kind in kinds
        ]
    return {Email: mails, EmailEvent: events}


def fill(engine: Engine, count: int, copied: int = SAMPLE) -> None:
    """Write a ledger of this many enrolments, one in ten running; on PostgreSQL a sample, and copies of it."""
    times = max(count // copied, 1) if engine.dialect.name == "postgresql" else 1
    sample = count // times
    indexes = [index for table in TABLES for index in table.__table__.indexes]
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    _write(engine, range(sample))
    if times > 1:
        _copy(engine, times - 1)
    # What no whole number of samples makes.
    _write(engine, range(sample, sample + count % times))
    # Once all rows are there: it takes a fraction of what each row by itself would.
    with engine.begin() as connection:
        for index in indexes:
            index.create(connection)
        connection.execute(text("ANALYZE"))


def _write(engine: Engine, numbers: range) -> None:
    source = rows(numbers)
    while part := list(islice(source, AT_A_TIME)):
        with engine.begin() as connection:
            for table in TABLES:
                connection.execute(insert(table), [row for each in part for row in each[table]])


def _copy(engine: Engine, copies: int) -> None:
    with engine.begin() as connection:
        # What is copied fits together: no trigger has to look whether it does.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in TABLES:
            name, columns = table.__tablename__, {each.name: _in_copy(each) for each in table.__table__.c}
            copied = f"SELECT {', '.join(columns.values())} FROM {name}, generate_series(1, {copies}) AS copy"
            connection.execute(text(f"INSERT INTO {name} ({', '.join(columns)}) {copied}"))


def _in_copy(column: Any) -> str:
    if isinstance(column.type, Uuid):
        return f"(lpad(to_hex(copy), 8, '0') || substr({column.name}\\:\\:text, 9))\\:\\:uuid"
    return f"copy || '-' || {column.name}" if column.name in OF_ONE else f'"{column.name}"'


def main(count: int, url: str) -> None:
    """Fill a ledger and print each query's time, the median of five."""
    engine = open_engine(url)
    schema.upgrade(engine)
    fill(engine, count)
    _, reads = make_sessions(engine)
    modes = (Mode.LIVE, Mode.TEST)
    soon = NOW + timedelta(days=14)
    christmas = load_registry().campaigns["christmas"]
    lasts = [(s.name, len(s.steps), plan_of(christmas, s)) for s in christmas.sequences.values()]
    queries: dict[str, Callable[[Any], Any]] = {
        "sweep: due": lambda s: emails.due(s, NOW, modes, 1000),
        "sweep: abandoned": lambda s: emails.abandoned(s, NOW, 1000),
        "sweep: held": lambda s: emails.held(s, NOW, modes, 1000),
        "sweep: finished": lambda s: enrolments.finished(s, 1000),
        "sweep: planned_between": lambda s: emails.planned_between(s, NOW, soon, 1000),
        "sweep: repeatable": lambda s: requests.repeatable(s, NOW, 1000),
        "overdue": lambda s: counts.overdue(s, NOW, modes),
        "stuck": lambda s: counts.sending_since(s, NOW),
        "unproven": lambda s: counts.sent_since(s, NOW),
        "held": lambda s: counts.in_state(s, State.HELD),
        "incomplete": lambda s: [counts.incomplete(s, "christmas", *last) for last in lasts],
        "mirror_behind": lambda s: counts.mirror_behind(s, NOW),
        "orphans": lambda s: counts.orphans(s, NOW - timedelta(days=1)),
        "unconfirmed: whom to ask": lambda s: emails.unconfirmed(s, NOW, timedelta(minutes=3), 20),
        "bodies to remove": lambda s: messages.with_body(s, NOW - timedelta(days=30), 1000),
        "stats: by_state_and_reason": lambda s: counts.by_state_and_reason(s, modes),
        "stats: copies": counts.copies,
    }
    for name, query in queries.items():
        print(f"{name:<28} {_milliseconds(reads, query):8.1f} ms")


def _milliseconds(reads: Any, query: Callable[[Any], Any]) -> float:
    taken = []
    for _ in range(5):
        with reads() as session:
            began = time.perf_counter()
            query(session)
            taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[2]


if __name__ == "__main__":
    given = command_line(__doc__, count=100_000, url="")
    with tempfile.TemporaryDirectory() as folder:
        main(given["count"], given["url"] or f"sqlite:///{folder}/f.db")
