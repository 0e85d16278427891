"""Meaning: what the calls of a group come to, given what the ledger says of their people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.intake.answer import Answered, answer_all
from funnel_app.flows.receipt import Receipt
from funnel_app.ledger import hook_events, reading, writing
from funnel_app.ledger.writing import Differences
from funnel_app.rules.calls.call import IMPORT, Call
from funnel_app.rules.calls.limits import TooManyEnrolments
from funnel_app.rules.calls.reading import Reading, Wanted, wanted_for

KEY_HOLDS_FOR = timedelta(hours=24)
# Behind a process that is stopped in its turn others may wait for hours, and a day, a season or a deadline may be over.
HOLDS_FOR = timedelta(seconds=30)


class KeyReused(Exception):
    """An idempotency key came again with another payload."""


Calls = tuple[Call, ...]
Group = Sequence[Calls]
Outcome = list[Answered] | Receipt | Exception


@dataclass(frozen=True)
class Meaning:
    """The outcomes of a group's calls, with the reading that they come from and the one that they lead to."""

    wanted: Wanted
    before: Reading
    after: Reading
    outcomes: Sequence[Outcome]

    def holds(self, connection: Connection, now: datetime) -> bool:
        """Say whether it was worked out a moment ago, and the ledger still says what it said then.

        Nothing but the reading, the files and the moment decides what calls without an idempotency key mean.
        """
        return now - self.wanted.now < HOLDS_FOR and reading.read(connection, self.wanted) == self.before

    def changes(self, connection: Connection) -> Differences:
        """Return what they change in the ledger, ready to be written."""
        rows = [each.row for outcome in self.outcomes if isinstance(outcome, list) for each in outcome]
        return writing.differences(connection, self.before, self.after, rows, self.wanted.now)


def work_out(deps: Deps, connection: Connection, group: Group) -> Meaning:
    """Return what the calls mean, one after the other, as the ledger is now. Raises UnknownCampaign."""
    wanted = wanted_for(chain.from_iterable(group), deps.registry, deps.now())
    found = before = reading.read(connection, wanted)
    outcomes = list[Outcome]()
    for calls in group:
        found, outcome = _answer(deps, connection, found, calls, wanted.now)
        outcomes.append(outcome)
    return Meaning(wanted, before, found, outcomes)


def _answer(deps: Deps, connection: Connection, found: Reading, calls: Calls, now: datetime) -> tuple[Reading, Outcome]:
    """Return the reading after a caller's calls, with their answers; or the reading unchanged, with the error."""
    try:
        replayed = _replayed(connection, calls[-1], now)
        return (found, replayed) if replayed else answer_all(deps, found, calls, now)
    except (TooManyEnrolments, KeyReused) as fault:
        return found, fault


def _replayed(connection: Connection, call: Call, now: datetime) -> Receipt | None:
    if call.idempotency_key is None:
        return None
    session = Session(connection)
    hook_events.lock_key(session, call.idempotency_key)
    known = hook_events.find_by_key(session, call.idempotency_key)
    if known is None:
        return None
    # Keys of list rows never expire: an import may be repeated at any time.
    if now - known.received_at > KEY_HOLDS_FOR and call.source != IMPORT:
        hook_events.forget_key(session, known)
        return None
    if known.payload != dict(call.payload):
        raise KeyReused("This Idempotency-Key was used for another payload within a day. Nothing was begun.")
    return Receipt.from_json(known.answer or {})
