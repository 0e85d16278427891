"""A running Funnel whose ledger is filled by hand with emails that come due: what `drain` and `lateness` measure."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, func, insert, select

from funnel_app.gateways.redis.queue import Queues
from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment
from funnel_app.ledger.models.types import new_id
from sandbox.redis_server import free_port
from sandbox.stack import Stack, running_stack, start_funnel

AT_A_TIME, SCHEDULED_AT_A_TIME = 2000, 500
NO_LIMIT = 1000
STEPS = 5


@dataclass
class Bench:
    """A running Funnel, the stand-in that accepts its emails, and its processes' cost."""

    stack: Stack
    stub_url: str

    def forget(self) -> None:
        """Reset the stand-in."""
        urlopen(Request(f"{self.stub_url}/forget", b"", method="POST"), timeout=60).close()

    def pids(self, *names: str) -> list[int]:
        """Return the ids of these processes."""
        return [self.stack.processes.running[name].pid for name in names]

    def plan(self, due: Sequence[datetime]) -> list[UUID]:
        """Plan five emails for one lead per time, and schedule the first ones, as hooks do."""
        engine = open_engine(self.stack.processes.env["DATABASE_URL"])
        queues = Queues(self.stack.redis.url)
        ids = write(engine, due)
        # All at once would keep Redis from everybody for a second.
        for start in range(0, len(ids), SCHEDULED_AT_A_TIME):
            some = slice(start, start + SCHEDULED_AT_A_TIME)
            queues.schedule(list(zip(ids[some], due[some], strict=True)), datetime.now(UTC))
        queues.close()
        engine.dispose()
        return ids

    def written(self) -> tuple[int, int]:
        """Return how many enrolments and emails the ledger has."""
        engine = open_engine(self.stack.processes.env["DATABASE_URL"])
        with make_sessions(engine)[1]() as session:
            enrolled, planned = (session.scalar(select(func.count()).select_from(each)) for each in (Enrolment, Email))
        engine.dispose()
        return enrolled or 0, planned or 0

    def wait_for(self, count: int, within_s: float) -> dict[str, Any]:
        """Return what the stand-in received, once this many emails arrived or the time is over."""
        return wait_for(self.stub_url, count, within_s)


def write(engine: Engine, due: Sequence[datetime]) -> list[UUID]:
    """Write five emails for one lead per time, the first due then; return the ids of the first ones."""
    ids = []
    for start in range(0, len(due), AT_A_TIME):
        rows = _rows(due[start : start + AT_A_TIME])
        with engine.begin() as connection:
            for table, some in rows.items():
                connection.execute(insert(table), some)
        ids += [row["id"] for row in rows[Email] if row["step"] == 1]
    return ids


def wait_for(stub_url: str, count: int, within_s: float) -> dict[str, Any]:
    """Return what a stand-in received, once this many emails arrived or the time is over."""
    until = time.monotonic() + within_s
    while True:
        with urlopen(f"{stub_url}/seen", timeout=60) as response:
            seen: dict[str, Any] = json.load(response)
        if len(seen["emails"]) >= count or time.monotonic() > until:
            return seen
        time.sleep(0.5)


def _rows(due: Sequence[datetime]) -> dict[type, list[dict[str, Any]]]:
    now = datetime.now(UTC)
    found: dict[type, list[dict[str, Any]]] = {Contact: [], Enrolment: [], Email: [], EmailEvent: []}
    for at in due:
        contact, enrolment = new_id(), new_id()
        address = f"delivered+{contact.hex}@resend.dev"
        found[Contact].append(
            {"id": contact, "email": address, "email_norm": address, "first_name": "Ana", "properties": {},
             "unsubscribe_token": contact.hex, "created_at": now, "updated_at": now}
        )  # fmt: skip
        found[Enrolment].append(
            {"id": enrolment, "contact_id": contact, "campaign": "christmas", "sequence": "lead_nurture",
             "mode": "test", "kind": "marketing", "anchor_at": now, "deadline": now.date() + timedelta(days=30),
             "state": "active", "variables": {}, "created_at": now}
        )  # fmt: skip
        found[Email] += [_email(enrolment, step, at + timedelta(days=step - 1), now) for step in range(1, STEPS + 1)]
    found[EmailEvent] = [
        {"email_id": each["id"], "kind": "planned", "at": now, "recorded_at": now} for each in found[Email]
    ]
    return found


def _email(enrolment: UUID, step: int, due: datetime, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "enrolment_id": enrolment,
        "step": step,
        "template_key": f"lead_nurture_email_{step}",
        "due_at": due,
        "state": "planned",
        "planned_at": now,
    }


@contextmanager
def running_bench(limit: int = 0, database: str = "", **settings: str) -> Iterator[Bench]:
    """Run a Funnel that sends to the fast stand-in, limited to this many calls a second (0: no limit).

    Its ledger is a new SQLite file unless another database is named.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    rate = {"RESEND_API_URL": url, "RESEND_RATE_LIMIT": str(limit or NO_LIMIT), "RESEND_RATE_SHARE": "1"}
    elsewhere = {"DATABASE_URL": database} if database else {}
    with running_stack(3600, EVENTS_WEBHOOK_URL="", **rate, **elsewhere, **settings) as stack:
        stack.processes.start("stub", "-m", "bench.stub", str(port), str(limit))
        stack.processes.wait_for("stub", f"{url}/seen")
        start_funnel(stack)
        yield Bench(stack, url)


def new_database(url: str, name: str) -> str:
    """Create an empty database on a PostgreSQL server, and return its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{url.rpartition('/')[0]}/{name}"
