"""What counting the booked calls costs each letter, without its index and with it: `python -m bench.calls [HOOKS]`.

It makes a ledger in SQLite of so many people, each with a hook, and one in ten with a booked call. Exit 1 where the
index changes the count, or where the median with it is over 20 ms.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Index, insert
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.ledger import bookings
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Base, Contact, HookEvent
from funnel_app.ledger.models.bookings import Booking
from sandbox.command_line import command_line

BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
AT_A_TIME = 2000
TURNS = 21
MOST_MS = 20.0
PAYLOAD = {"note": "what a website sends along with a signup " * 8}
Row = dict[str, Any]


def main(hooks: int) -> int:
    """Print the count and its time, without and with the index."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        schema.upgrade(engine)
        _fill(engine, hooks)
        (index,) = (each for each in Base.metadata.tables["bookings"].indexes if each.name == "ix_bookings_booked")
        counted, took = _without(engine, index), _measure(engine)
        engine.dispose()
    for name, (calls, median, worst) in {"without the index": counted, "with it": took}.items():
        print(f"{name:<18} {calls} calls among {hooks} hooks: median {median:.1f} ms, worst {worst:.1f} ms")
    return 0 if counted[0] == took[0] and took[1] <= MOST_MS else 1


def _without(engine: Engine, index: Index) -> tuple[int, float, float]:
    index.drop(engine)
    try:
        return _measure(engine)
    finally:
        index.create(engine)


def _fill(engine: Engine, hooks: int) -> None:
    for first in range(0, hooks, AT_A_TIME):
        numbers = range(first, min(first + AT_A_TIME, hooks))
        with engine.begin() as connection:
            connection.execute(insert(Contact), [_contact(number) for number in numbers])
            connection.execute(insert(HookEvent), [_hook(number) for number in numbers])
            connection.execute(insert(Booking), [_booking(number) for number in numbers if number % 10 == 0])


def _id(number: int, kind: int) -> UUID:
    return UUID(int=(number << 80) | (7 << 76) | (2 << 62) | kind)


def _contact(number: int) -> Row:
    at, address = BEGAN + timedelta(minutes=number), f"lead{number}@shop{number % 977}.example"
    return {
        "id": _id(number, 1), "email": address, "email_norm": address, "properties": {},
        "unsubscribe_token": f"t{number}", "created_at": at, "updated_at": at,
    }  # fmt: skip


def _hook(number: int) -> Row:
    event, call = ("booking", f"call-{number}") if number % 10 == 0 else ("opt_in", "")
    return {
        "id": _id(number, 2), "received_at": BEGAN + timedelta(minutes=number), "source": "website",
        "campaign": "christmas", "hook": event, "event": event, "occurrence": call,
        "contact_id": _id(number, 1), "dedupe_key": f"k{number}", "payload": PAYLOAD, "outcome": "accepted",
        "mode": Mode.LIVE,
    }  # fmt: skip


def _booking(number: int) -> Row:
    place = {"booked": True, "booked_at": None, "given_up_at": None, "given_up_by": None}
    return {
        "id": _id(number, 3), "contact_id": _id(number, 1), "campaign": "christmas", "occurrence": f"call-{number}",
        "mode": Mode.LIVE, "call_at": BEGAN, "told_at": BEGAN, "places": {"": place}, "state": "booked",
    }  # fmt: skip


def _measure(engine: Engine) -> tuple[int, float, float]:
    """Return the count, and the median and worst time of several runs, in ms."""
    took, calls = [], 0
    for _ in range(TURNS):
        began = time.perf_counter()
        with Session(engine) as session:
            calls = bookings.count(session, "christmas", Mode.LIVE)
        took.append((time.perf_counter() - began) * 1000)
    return calls, statistics.median(took), max(took)


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, hooks=100_000)))
