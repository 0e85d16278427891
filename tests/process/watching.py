"""What process tests look at: the ledger and the stand-in's inbox, from outside."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Engine, text

from funnel_app.ledger.database.engine import open_engine
from sandbox.stack import Stack
from tests.pace import patient

Found = TypeVar("Found")
# Long enough for whatever starts several processes.
WITHIN_S = 100.0
# Each look costs this machine what others wait for.
LOOKS_EVERY_S = 0.2
SIGNUP = "/webhook/christmas/signup"
SQLITE = "sqlite:///"
STATES = """
    SELECT c.email AS address, n.sequence, n.state AS enrolment, e.step, e.state, e.reason
    FROM emails e JOIN enrolments n ON n.id = e.enrolment_id JOIN contacts c ON c.id = n.contact_id
    ORDER BY c.email, n.sequence, e.step
"""


def wait_until(what: str, condition: Callable[[], Found], within_s: float = WITHIN_S) -> Found:
    """Return the condition's value as soon as it is true; fail with what was waited for.

    The limit is that of a quiet machine, and longer on a slow or busy one: as it is now, or becomes meanwhile.
    """
    began, limit = time.monotonic(), 0.0
    while not (found := condition()):
        limit = max(limit, patient(within_s))
        assert time.monotonic() - began < limit, f"not within {limit:.0f} s: {what}"
        time.sleep(LOOKS_EVERY_S)
    return found


def opt_in(stack: Stack, address: str) -> dict[str, Any]:
    """Call the hook as the website does; return the answer."""
    status, answer = stack.post(SIGNUP, {"email": address, "first_name": "Ana"})
    assert status in {200, 202}, answer
    return answer


def emails(stack: Stack) -> list[dict[str, Any]]:
    """Return every email of the ledger, in words."""
    url = stack.processes.env["DATABASE_URL"]
    # A connection that stays open would keep a ledger that is gone.
    if url.startswith(SQLITE):
        # Asked again and again: SQLite's own driver takes half the time.
        with closing(sqlite3.connect(url.removeprefix(SQLITE))) as ledger:
            ledger.row_factory = sqlite3.Row
            return [dict(row) for row in ledger.execute(STATES)]
    reader = _reader(url)
    with reader.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(text(STATES))]
    reader.dispose()
    return rows


@lru_cache(maxsize=1)
def _reader(url: str) -> Engine:
    """Open a ledger for many looks, none of which takes a turn to write."""
    return open_engine(url).execution_options(funnel_reads=True)


def delivered(stack: Stack, count: int) -> Callable[[], bool]:
    """Return the condition that so many emails are delivered."""
    return lambda: sum(row["state"] == "delivered" for row in emails(stack)) >= count


def inbox(stack: Stack) -> Counter[tuple[str, str]]:
    """Count what arrived, by recipient and subject: nothing may be there twice."""
    return Counter((email["to"][0], email["subject"]) for email in stack.received())


def nothing_twice(stack: Stack) -> bool:
    return set(inbox(stack).values()) == {1}


def running(stack: Stack, *names: str) -> bool:
    """Say whether these processes still live."""
    return all(stack.processes.running[name].poll() is None for name in names)


def log_of(stack: Stack, name: str) -> str:
    return stack.processes.log(name).read_text()
