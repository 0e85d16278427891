"""Write what became of a hook's calls: what differs from what was read, with one statement a table and kind of change.

What comes into a state leaves the row of its timeline here as in `ledger/emails.py`, by the same table of states.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update
from sqlalchemy.exc import IntegrityError

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State, check
from funnel_app.ledger.conflicts import LostRace
from funnel_app.ledger.models import EmailEvent
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
from funnel_app.rules.facts import ContactFacts, EmailFacts, EnrolmentFacts
from funnel_app.rules.ids import new_id
from funnel_app.rules.reading import Reading

Row = dict[str, Any]
EVENTS = EmailEvent.metadata.tables[EmailEvent.__tablename__]
FIXED = frozenset({"id", "contact_id", "email_norm", "unsubscribe_token", "created_at", "campaign", "sequence", "run"})


@dataclass(frozen=True)
class Moved:
    """An email that came into another state."""

    enrolment: EnrolmentFacts
    email: EmailFacts


def write(connection: Connection, before: Reading, after: Reading, hooks: Sequence[Row], now: datetime) -> list[Moved]:
    """Write how the people of a reading differ from it, and the calls; return the emails that came into a state.

    Raises LostRace where somebody else made one of the new people meanwhile: then nothing may be committed.
    """
    people = [(before.contacts.get(address), contact) for address, contact in sorted(after.contacts.items())]
    _write_contacts(connection, people, now)
    _insert(connection, HOOKS, hooks)
    return _write_enrolments(connection, people, now)


People = list[tuple[ContactFacts | None, ContactFacts]]


def _write_contacts(connection: Connection, people: People, now: datetime) -> None:
    stale = {"mirror_stale_since": now}
    try:
        _insert(connection, CONTACTS, [_row(c, CONTACT_COLUMNS) | stale for old, c in people if old is None])
    except IntegrityError as error:
        raise LostRace(str(error.orig)) from error
    changed = [(old, contact) for old, contact in people if old is not None]
    _update(connection, CONTACTS, [_row(contact, CONTACT_COLUMNS) | stale for _, contact in changed])
    if renamed := [contact.id for old, contact in changed if old.called != contact.called]:
        connection.execute(update(ENROLMENTS).where(ENROLMENTS.c.contact_id.in_(renamed)).values(stale))


def _write_enrolments(connection: Connection, people: People, now: datetime) -> list[Moved]:
    known = {each.id: each for old, _ in people if old is not None for each in old.enrolments}
    found = [enrolment for _, contact in people for enrolment in contact.enrolments]
    new = [enrolment for enrolment in found if enrolment.id not in known]
    changed = [(known[each.id], each) for each in found if each.id in known and known[each.id] != each]
    _insert(connection, ENROLMENTS, [_enrolment_row(enrolment, now) for enrolment in new])
    _insert(connection, EMAILS, [_email_row(each, email, now) for each in new for email in each.emails])
    for old, enrolment in changed:
        if old.state != enrolment.state:
            enrolment_states.check(old.state, enrolment.state)
    _update(connection, ENROLMENTS, [_enrolment_row(enrolment, now) for _, enrolment in changed])
    moved = _write_emails(connection, changed, now)
    planned = [Moved(enrolment, email) for enrolment in new for email in enrolment.emails]
    _insert(connection, EVENTS, [_event_row(each.email, now) for each in planned + moved])
    return moved


def _write_emails(
    connection: Connection, changed: Iterable[tuple[EnrolmentFacts, EnrolmentFacts]], now: datetime
) -> list[Moved]:
    pairs = [(new, *both) for old, new in changed for both in zip(old.emails, new.emails, strict=True)]
    timed = [email for _, old, email in pairs if (old.due_at, old.latest_at) != (email.due_at, email.latest_at)]
    _update(connection, EMAILS, [_row(email, ("id", "due_at", "latest_at")) for email in timed])
    moved = [(old, Moved(enrolment, email)) for enrolment, old, email in pairs if old.state != email.state]
    by_state: defaultdict[State, list[Row]] = defaultdict(list)
    for old, each in moved:
        check(State(old.state), each.email.state)
        by_state[each.email.state].append(_state_row(each.email, now))
    for rows in by_state.values():
        _update(connection, EMAILS, rows)
    return [each for _, each in moved]


def _row(facts: object, columns: Iterable[str]) -> Row:
    return {name: getattr(facts, name) for name in columns}


def _enrolment_row(enrolment: EnrolmentFacts, now: datetime) -> Row:
    stale = None if enrolment.mode == Mode.CANARY else now
    return _row(enrolment, ENROLMENT_COLUMNS) | {"mirror_stale_since": stale}


def _email_row(enrolment: EnrolmentFacts, email: EmailFacts, now: datetime) -> Row:
    skipped_at = now if email.state is State.SKIPPED else None
    return _row(email, EMAIL_COLUMNS) | {"enrolment_id": enrolment.id, "planned_at": now, "skipped_at": skipped_at}


def _state_row(email: EmailFacts, now: datetime) -> Row:
    free = {"lease_token": None, "lease_until": None} if email.state is State.PLANNED else {}
    return {"id": email.id, "state": email.state, "reason": email.reason, f"{email.state}_at": now, **free}


def _event_row(email: EmailFacts, now: datetime) -> Row:
    return {
        "id": new_id(),
        "email_id": email.id,
        "kind": email.state,
        "at": now,
        "recorded_at": now,
        "detail": email.reason,
    }


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _update(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Set the columns of rows, all of the same ones, by their ids; what never changes of a row is left alone."""
    if not rows:
        return
    names = [name for name in rows[0] if name not in FIXED]
    statement = update(table).where(table.c.id == bindparam("row_id"))
    values = [{"row_id": row["id"], **{name: row[name] for name in names}} for row in rows]
    connection.execute(statement.values({name: bindparam(name) for name in names}), values)
