"""How long each page of the console takes over a ledger of many leads: `python -m bench.console --leads 100000`.

It makes a ledger in SQLite (or where --url says), asks the application for each page as a browser would, and prints
the median and the worst of a few turns, the median of the processor's time (which neighbours on the machine disturb
less), and the number of queries. Exit 1 where a page needs over 300 ms of the processor.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import Engine, event, insert
from structlog.testing import capture_logs

from funnel_app.app import create_app
from funnel_app.campaigns.model import Sequence
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.statistics.count_days import count_days
from funnel_app.ledger import counted_days
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent
from tests.factories import make_deps
from tests.flows.leads import write_templates
from tests.web.console import Operator

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAYS = 180
TURNS = 7
STATEMENTS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
MOST_MS = 300.0
FIGURES = ("figures, 30 days", "figures, 60 days")
AT_A_TIME = 2000
PAYLOAD = {"note": "what a website sends along with a signup " * 8}
Row = dict[str, Any]


def uuid7(at: datetime, number: int) -> UUID:
    """Return a time-ordered id of a time, the same on every run."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | (number & 0x3FFFFFFFFFFFFFFF))


def fill(deps: Deps, leads: int) -> None:
    """Write this many leads of the last half year, with most emails delivered."""
    sequences = list(deps.registry.campaigns["christmas"].sequences.values())[:2]
    keep: dict[type, list[Row]] = {Contact: [], HookEvent: [], Enrolment: [], Email: [], EmailEvent: []}
    for number in range(leads):
        _lead(keep, number, NOW - timedelta(days=DAYS) * (1 - number / leads), sequences[number % 2])
        if number % AT_A_TIME == AT_A_TIME - 1 or number == leads - 1:
            _write(deps.engine, keep)


def _write(engine: Engine, keep: dict[type, list[Row]]) -> None:
    with engine.begin() as connection:
        for model, rows in keep.items():
            connection.execute(insert(model), rows)
            rows.clear()


def _lead(keep: dict[type, list[Row]], number: int, at: datetime, sequence: Sequence) -> None:
    dice = random.Random(number)
    contact_id, hook_id, run_id = (uuid7(at, number * 10 + i) for i in range(3))
    address = f"lead{number}@shop{number % 977}.example"
    keep[Contact].append({
        "id": contact_id, "email": address, "email_norm": address, "first_name": f"Name{number % 5000}",
        "business_name": f"Salon {number % 30000}", "properties": PAYLOAD, "unsubscribe_token": f"t{number}",
        "created_at": at, "updated_at": at,
    })  # fmt: skip
    event_kind = "onboarding" if number % 10 == 9 else sequence.starts_on.value
    keep[HookEvent].append({
        "id": hook_id, "received_at": at, "source": "website", "campaign": "christmas", "hook": "signup",
        "handler": sequence.handler, "event": event_kind, "occurrence": "", "contact_id": contact_id,
        "dedupe_key": f"k{number}", "payload": PAYLOAD, "mode": "live",
        "outcome": "refused" if number % 997 == 0 else "accepted",
    })  # fmt: skip
    emails = list(_emails(run_id, number, at, sequence, dice))
    states = {row["state"] for row in emails}
    state = "active" if "planned" in states else "exited" if "cancelled" in states else "completed"
    keep[Enrolment].append({
        "id": run_id, "contact_id": contact_id, "hook_event_id": hook_id, "campaign": "christmas",
        "sequence": sequence.name, "occurrence": "", "run": 1, "mode": "live", "kind": "marketing", "anchor_at": at,
        "deadline": at.date(), "state": "paused" if number % 5003 == 0 else state, "variables": PAYLOAD,
        "created_at": at,
    })  # fmt: skip
    keep[Email] += emails
    keep[EmailEvent] += [
        {"id": uuid7(row["due_at"], number * 100 + i), "email_id": row["id"], "kind": kind, "at": row["due_at"],
         "recorded_at": row["due_at"]}
        for row in emails for i, kind in enumerate(("planned", row["state"]))
    ]  # fmt: skip


def _emails(run_id: UUID, number: int, at: datetime, sequence: Sequence, dice: random.Random) -> Iterator[Row]:
    for step in sequence.steps:
        due = (at + step.delay).replace(microsecond=0)
        state = "planned" if due > NOW else dice.choices(
            ("delivered", "bounced", "cancelled", "held", "failed"), (9500, 200, 295, 1, 4)
        )[0]  # fmt: skip
        yield {
            "id": uuid7(due, number * 10 + step.number), "enrolment_id": run_id, "step": step.number,
            "template_key": step.template, "due_at": due, "state": state, "attempts": 1, "freezes": 1,
            "reason": None if state in ("planned", "delivered") else f"{state} for a reason",
            "sent_at": due if state == "delivered" else None, "held_at": due if state == "held" else None,
            "delivered_at": due + timedelta(seconds=dice.expovariate(0.5)) if state == "delivered" else None,
            "planned_at": at,
        }  # fmt: skip


def pages(leads: int) -> dict[str, str]:
    """Return the pages to measure, by name."""
    middle = uuid7(NOW - timedelta(days=DAYS) * 0.5, (leads // 2) * 10)
    return {
        "today": "/console/",
        "leads, first page": "/console/leads",
        "leads, page in the middle": f"/console/leads?after={middle}",
        "leads, word of one lead": f"/console/leads?words=lead{leads // 3}%40",
        "leads, word of nobody": "/console/leads?words=nobody-has-this",
        "leads, word of many": "/console/leads?words=salon",
        "leads, paused": "/console/leads?state=paused",
        "leads, active": "/console/leads?state=active",
        "leads, bounced": "/console/leads?trouble=bounced",
        "leads, word and sequence and bounced": "/console/leads?words=name7&sequence=five_day&trouble=bounced",
        "one lead": f"/console/leads/{middle}",
        "sequences": "/console/sequences",
        "one step": "/console/sequences/christmas/lead_nurture/3",
        "calendar": "/console/calendar",
        "templates": "/console/templates",
        "figures, 30 days": "/console/figures?days=30",
        "figures, 60 days": "/console/figures?days=60",
        "hooks": "/console/hooks",
        "hooks, refused": "/console/hooks?outcome=refused",
        "hooks, ignored (there is none)": "/console/hooks?outcome=ignored",
    }


def measure(client: FlaskClient, engine: Engine, path: str) -> tuple[float, float, float, int]:
    """Return the median, worst and CPU time of several runs, in ms, and the number of queries."""
    took, worked = [], []
    for _ in range(TURNS):
        began, worked_before = time.perf_counter(), time.process_time()
        answer = client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - worked_before) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    return (
        statistics.median(took),
        max(took),
        statistics.median(worked),
        count_queries(engine, lambda: client.get(path)),
    )


def count_queries(engine: Engine, ask: Callable[[], object]) -> int:
    """Return how many statements reach the database, those too that go to SQLite's driver past SQLAlchemy."""
    sent: list[str] = []

    def by_sqlalchemy(*given: Any) -> None:
        sent.append(given[2])

    def by_sqlite(line: Any, *_: object) -> None:
        line.set_trace_callback(sent.append)

    def untraced(line: Any, *_: object) -> None:
        line.set_trace_callback(None)

    heard: dict[str, Callable[..., None]] = {"before_cursor_execute": by_sqlalchemy}
    if engine.dialect.name == "sqlite":
        heard = {"checkout": by_sqlite, "checkin": untraced}
    for name, note in heard.items():
        event.listen(engine, name, note)
    ask()
    for name, note in heard.items():
        event.remove(engine, name, note)
    return sum(text.lstrip().upper().startswith(STATEMENTS) for text in sent)


def main() -> int:
    """Make the ledger, measure every page, print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--keep", help="a SQLite file to keep the ledger in, and to measure again without making it")
    parser.add_argument("--url", help="an empty PostgreSQL database; without it a SQLite file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(given.keep or Path(folder) / "bench.db")
        made = not given.url and path.exists()
        engine = open_engine(given.url or f"sqlite:///{path}")
        schema.upgrade(engine)
        deps = make_deps(engine, testing_mode=False, public_url="http://localhost")
        write_templates(deps)
        began = time.perf_counter()
        if not made:
            fill(deps, given.leads)
        if given.url:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
        print(f"{given.leads} leads in {engine.dialect.name}, made in {time.perf_counter() - began:.0f} s\n")
        with capture_logs():
            slow = _table(deps, given.leads)
        engine.dispose()
    print(f"\nOver {MOST_MS:.0f} ms of the processor: {', '.join(slow) or 'none'}.")
    return 1 if slow else 0


def _table(deps: Deps, leads: int) -> list[str]:
    operator = Operator(create_app(deps).test_client())
    operator.log_in()
    print(f"{'page':<40}{'median':>10}{'worst':>10}{'processor':>11}{'queries':>9}")
    shown = pages(leads)
    _forget_days(deps)
    for name in FIGURES:
        _row(deps, operator.client, f"{name}, none counted yet", shown[name])
    while count_days(deps):
        pass
    return [name for name, path in shown.items() if _row(deps, operator.client, name, path) > MOST_MS]


def _forget_days(deps: Deps) -> None:
    with deps.sessions.begin() as session:
        counted_days.forget(session, counted_days.kept(session))


def _row(deps: Deps, client: FlaskClient, name: str, path: str) -> float:
    median, worst, worked, queries = measure(client, deps.engine, path)
    print(f"{name:<40}{median:>7.0f} ms{worst:>7.0f} ms{worked:>8.0f} ms{queries:>9}")
    return worked


if __name__ == "__main__":
    raise SystemExit(main())
