"""Writing: store the differences that a hook's calls made, one statement for each table and kind of change.

They are made ready for the database before they are written, so that a turn to write is not held while rows are made.
State changes add timeline rows as in `ledger/emails.py`, by the same table of states.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, update
from sqlalchemy.exc import IntegrityError

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State, check
from funnel_app.ledger import lead_events, outbox
from funnel_app.ledger.bookings import BOOKINGS, as_rows
from funnel_app.ledger.database.compiled import Insert, Update, Write, carry_out
from funnel_app.ledger.database.conflicts import LostRace
from funnel_app.ledger.models import EmailEvent
from funnel_app.ledger.outbox import LeadEvent
from funnel_app.ledger.reading import (
    CONTACT_COLUMNS,
    CONTACTS,
    EMAIL_COLUMNS,
    EMAILS,
    ENROLMENT_COLUMNS,
    ENROLMENTS,
    HOOKS,
)
from funnel_app.rules import states as enrolment_states
from funnel_app.rules.calls.changes import Change, enrolments_changed
from funnel_app.rules.calls.reading import Reading
from funnel_app.rules.facts import ContactFacts, EmailFacts, EnrolmentFacts
from funnel_app.rules.ids import new_id

Row = dict[str, Any]
Pair = tuple[ContactFacts | None, ContactFacts]
EVENTS = EmailEvent.metadata.tables[EmailEvent.__tablename__]
INSERTS = {table: Insert(table) for table in (CONTACTS, BOOKINGS, HOOKS, ENROLMENTS, EMAILS, EVENTS)}
UPDATES = {table: Update(table) for table in (CONTACTS, BOOKINGS, ENROLMENTS, EMAILS)}
FIXED = frozenset({"id", "contact_id", "email_norm", "unsubscribe_token", "created_at", "campaign", "sequence", "run"})


@dataclass(frozen=True)
class Differences:
    """What calls change in the ledger, ready to be written."""

    new_people: Sequence[Write]
    rest: Sequence[Write]

    def write(self, connection: Connection) -> None:
        """Store them.

        Raises LostRace if another transaction created one of the new people: then nothing may be committed.
        """
        try:
            carry_out(connection, self.new_people)
        except IntegrityError as error:
            raise LostRace(str(error.orig)) from error
        carry_out(connection, self.rest)


def differences(
    connection: Connection, before: Reading, after: Reading, hooks: Sequence[Row], now: datetime
) -> Differences:
    """Return the calls, and how their people differ from what was read. Nothing is written."""
    dialect = connection.dialect
    people = [(before.contacts.get(address), contact) for address, contact in sorted(after.contacts.items())]
    changes = enrolments_changed(before, after)
    rest = [
        *_changed_people(dialect, people, now),
        *_bookings(dialect, before, after),
        *INSERTS[HOOKS].prepared(dialect, hooks),
        *_new_enrolments(dialect, [change.now for change in changes if change.before is None], now),
        *_changed_enrolments(dialect, [change for change in changes if change.before is not None], now),
    ]
    if outbox.has_listeners(connection):
        rest += outbox.prepared(connection, [event for change in changes for event in _events_of(change, now)], now)
    return Differences(_new_people(dialect, people, now), rest)


def _events_of(change: Change, now: datetime) -> list[LeadEvent]:
    ran = change.before is None or change.before.runs
    began = lead_events.enrolled(change.now, now) if change.before is None else []
    return [*began, *(lead_events.ended(change.now, now) if ran and not change.now.runs else [])]


def _new_people(dialect: Dialect, people: Sequence[Pair], now: datetime) -> list[Write]:
    rows = [_row(contact, CONTACT_COLUMNS) | {"mirror_stale_since": now} for old, contact in people if old is None]
    return INSERTS[CONTACTS].prepared(dialect, rows)


def _changed_people(dialect: Dialect, people: Sequence[Pair], now: datetime) -> list[Write]:
    stale = {"mirror_stale_since": now}
    changed = [(old, contact) for old, contact in people if old is not None and old is not contact]
    writes = _updates(dialect, CONTACTS, [_row(contact, CONTACT_COLUMNS) | stale for _, contact in changed])
    if renamed := [contact.id for old, contact in changed if old.called != contact.called]:
        theirs = update(ENROLMENTS).where(ENROLMENTS.c.contact_id.in_(renamed)).values(stale)
        writes.append(lambda connection: connection.execute(theirs))
    return writes


def _bookings(dialect: Dialect, before: Reading, after: Reading) -> list[Write]:
    known = {booking.id: booking for contact in before.contacts.values() for booking in contact.bookings}
    now = [booking for _, contact in sorted(after.contacts.items()) for booking in contact.bookings]
    new = as_rows(booking for booking in now if booking.id not in known)
    changed = as_rows(b for b in now if b.id in known and known[b.id] != b)
    return [*INSERTS[BOOKINGS].prepared(dialect, new), *_updates(dialect, BOOKINGS, changed)]


def _new_enrolments(dialect: Dialect, new: Sequence[EnrolmentFacts], now: datetime) -> list[Write]:
    emails = [(enrolment, email) for enrolment in new for email in enrolment.emails]
    first = [row for _, email in emails for row in _first_events(email, now)]
    return [
        *INSERTS[ENROLMENTS].prepared(dialect, [_enrolment_row(enrolment, now) for enrolment in new]),
        *INSERTS[EMAILS].prepared(dialect, [_email_row(enrolment, email, now) for enrolment, email in emails]),
        *INSERTS[EVENTS].prepared(dialect, first),
    ]


def _changed_enrolments(dialect: Dialect, changes: Sequence[Change], now: datetime) -> list[Write]:
    for change in changes:
        if change.before is not None and change.before.state != change.now.state:
            enrolment_states.check(change.before.state, change.now.state)
    pairs = [pair for change in changes for pair in change.emails()]
    timed = [email for old, email in pairs if (old.due_at, old.latest_at) != (email.due_at, email.latest_at)]
    return [
        *_updates(dialect, ENROLMENTS, [_enrolment_row(change.now, now) for change in changes]),
        *_updates(dialect, EMAILS, [_row(email, ("id", "due_at", "latest_at")) for email in timed]),
        *_moved_emails(dialect, [pair for change in changes for pair in change.moved()], now),
    ]


def _moved_emails(dialect: Dialect, moved: Sequence[tuple[EmailFacts, EmailFacts]], now: datetime) -> list[Write]:
    by_state: defaultdict[State, list[Row]] = defaultdict(list)
    for old, email in moved:
        check(State(old.state), email.state)
        by_state[email.state].append(_state_row(email, now))
    writes = [write for rows in by_state.values() for write in _updates(dialect, EMAILS, rows)]
    return [*writes, *INSERTS[EVENTS].prepared(dialect, [_event_row(email, now) for _, email in moved])]


def _row(facts: object, columns: Sequence[str]) -> Row:
    return dict(zip(columns, _getter(columns)(facts), strict=True))


@cache
def _getter(columns: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    return attrgetter(*columns)


def _enrolment_row(enrolment: EnrolmentFacts, now: datetime) -> Row:
    stale = None if enrolment.mode == Mode.CANARY else now
    return _row(enrolment, ENROLMENT_COLUMNS) | {"mirror_stale_since": stale}


def _email_row(enrolment: EnrolmentFacts, email: EmailFacts, now: datetime) -> Row:
    times = {f"{state}_at": now if email.state is state else None for state in (State.SKIPPED, State.CANCELLED)}
    return _row(email, EMAIL_COLUMNS) | {"enrolment_id": enrolment.id, "planned_at": now, **times}


def _state_row(email: EmailFacts, now: datetime) -> Row:
    free = {"lease_token": None, "lease_until": None} if email.state is State.PLANNED else {}
    why = {"reason": email.reason, "reason_code": email.reason_code}
    return {"id": email.id, "state": email.state, **why, f"{email.state}_at": now, **free}


def _first_events(email: EmailFacts, now: datetime) -> list[Row]:
    if email.state is not State.CANCELLED:
        return [_event_row(email, now)]
    # Planned by one call and cancelled by the next in the same transaction.
    planned = replace(email, state=State.PLANNED, reason=None, reason_code=None)
    return [_event_row(each, now) for each in (planned, email)]


def _event_row(email: EmailFacts, now: datetime) -> Row:
    return {
        "id": new_id(),
        "email_id": email.id,
        "kind": email.state,
        "at": now,
        "recorded_at": now,
        "detail": email.reason,
    }


def _updates(dialect: Dialect, table: Table, rows: Sequence[Row]) -> list[Write]:
    """Update the same columns of several rows by id; immutable columns are left out."""
    if not rows:
        return []
    names = ["id", *(name for name in rows[0] if name not in FIXED)]
    return UPDATES[table].prepared(dialect, [{name: row[name] for name in names} for row in rows])
