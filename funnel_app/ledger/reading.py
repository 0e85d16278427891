"""Read everything that the rules of a hook's calls look at, after locking the people concerned."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, or_, select

from funnel_app.ledger import bookings
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent
from funnel_app.ledger.models.base import one_of
from funnel_app.rules.calls.limits import PER_ADDRESS, PER_IP
from funnel_app.rules.calls.reading import Reading, Wanted
from funnel_app.rules.facts import ContactFacts, EmailFacts, EnrolmentFacts, Heard
from funnel_app.rules.states import HEARD, EnrolmentState, Outcome

CONTACTS, ENROLMENTS, EMAILS, HOOKS = (
    model.metadata.tables[model.__tablename__] for model in (Contact, Enrolment, Email, HookEvent)
)


def columns_of(facts: type, table: Table) -> tuple[str, ...]:
    """Return the fields of a facts class that are columns of a table."""
    return tuple(field.name for field in fields(facts) if field.name in table.c)


CONTACT_COLUMNS = columns_of(ContactFacts, CONTACTS)
ENROLMENT_COLUMNS = columns_of(EnrolmentFacts, ENROLMENTS)
EMAIL_COLUMNS = columns_of(EmailFacts, EMAILS)
HEARD_COLUMNS = columns_of(Heard, HOOKS)


def read(connection: Connection, wanted: Wanted) -> Reading:
    """Return what is known of these people, locked in a fixed order until the transaction ends, if there is one."""
    bookings.lock(connection, wanted.shared)
    contacts = _contacts(connection, wanted)
    if contacts:
        enrolments = _enrolments(connection, contacts)
        heard = _heard(connection, contacts, wanted)
        contacts = {id_: replace(c, enrolments=enrolments[id_], heard=heard[id_]) for id_, c in contacts.items()}
    if contacts and wanted.about_calls:
        calls = bookings.of_contacts(connection, contacts)
        contacts = {id_: replace(contact, bookings=calls[id_]) for id_, contact in contacts.items()}
    by_address = {contact.email_norm: contact for contact in contacts.values()}
    whole = bookings.whole_words(connection, wanted.shared)
    return Reading(by_address, _started(connection, wanted), whole)


def _columns(table: Table, names: Iterable[str]) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in names]


_KNOWN = select(*_columns(CONTACTS, CONTACT_COLUMNS)).order_by(CONTACTS.c.id).with_for_update()
_CONTACTS = Question(_KNOWN.where(one_of(CONTACTS.c.email_norm, "addresses")))
_WITH_WHO_COMES = Question(
    _KNOWN.where(or_(one_of(CONTACTS.c.email_norm, "addresses"), CONTACTS.c.id.in_(bookings.WHO_COMES)))
)
_ENROLMENTS = Question(
    select(*_columns(ENROLMENTS, ENROLMENT_COLUMNS))
    .where(one_of(ENROLMENTS.c.contact_id, "ids"))
    .order_by(ENROLMENTS.c.created_at, ENROLMENTS.c.id)
)
_EMAILS = Question(
    select(EMAILS.c.enrolment_id, *_columns(EMAILS, EMAIL_COLUMNS))
    .join(ENROLMENTS, EMAILS.c.enrolment_id == ENROLMENTS.c.id)
    .where(one_of(ENROLMENTS.c.contact_id, "ids"))
    .order_by(EMAILS.c.step)
)
_HEARD = Question(
    select(HOOKS.c.contact_id, *_columns(HOOKS, HEARD_COLUMNS))
    .where(
        HOOKS.c.outcome.in_(HEARD),
        one_of(HOOKS.c.contact_id, "ids"),
        one_of(HOOKS.c.event, "events"),
        one_of(HOOKS.c.campaign, "campaigns"),
    )
    .order_by(HOOKS.c.received_at, HOOKS.c.id)
)


def _started_by(column: ColumnElement[Any]) -> Question:
    return Question(
        select(column.label("key"), func.count().label("calls"))
        .where(
            HOOKS.c.outcome == Outcome.ACCEPTED,
            one_of(HOOKS.c.event, "starts"),
            one_of(column, "keys"),
            HOOKS.c.received_at >= bindparam("since"),
        )
        .group_by(column)
    )


_STARTED_BY_CALLER = _started_by(HOOKS.c.caller)
_STARTED_FOR_MAILBOX = _started_by(HOOKS.c.mailbox)


def _contacts(connection: Connection, wanted: Wanted) -> dict[UUID, ContactFacts]:
    if wanted.of_all:
        campaigns, occurrences = bookings.split(wanted.of_all)
        asked = {"campaigns": campaigns, "occurrences": occurrences}
        rows = _WITH_WHO_COMES.ask(connection, addresses=wanted.addresses, **asked)
    else:
        rows = _CONTACTS.ask(connection, addresses=wanted.addresses)
    return {row["id"]: ContactFacts(**row) for row in rows}


def _enrolments(connection: Connection, ids: Collection[UUID]) -> Mapping[UUID, tuple[EnrolmentFacts, ...]]:
    emails: defaultdict[UUID, tuple[EmailFacts, ...]] = defaultdict(tuple)
    for row in _EMAILS.ask(connection, ids=ids):
        emails[row["enrolment_id"]] += (EmailFacts(**_without(row, "enrolment_id")),)
    found: defaultdict[UUID, tuple[EnrolmentFacts, ...]] = defaultdict(tuple)
    for row in _ENROLMENTS.ask(connection, ids=ids):
        state = EnrolmentState(row["state"])
        found[row["contact_id"]] += (EnrolmentFacts(**{**row, "state": state}, emails=emails[row["id"]]),)
    return found


def _heard(connection: Connection, ids: Collection[UUID], wanted: Wanted) -> Mapping[UUID, tuple[Heard, ...]]:
    found: defaultdict[UUID, tuple[Heard, ...]] = defaultdict(tuple)
    for row in _HEARD.ask(connection, ids=ids, events=wanted.events, campaigns=wanted.campaigns):
        fact = {**_without(row, "contact_id"), "outcome": Outcome(row["outcome"])}
        found[row["contact_id"]] += (Heard(**fact),)
    return found


def _started(connection: Connection, wanted: Wanted) -> dict[str, int]:
    """Return how many accepted calls started a sequence, by the caller and the mailbox in their records."""
    found: dict[str, int] = {}
    for question, keys, span in (
        (_STARTED_BY_CALLER, wanted.callers, PER_IP[1]),
        (_STARTED_FOR_MAILBOX, wanted.mailboxes, PER_ADDRESS[1]),
    ):
        rows = question.ask(connection, keys=keys, starts=wanted.starts, since=wanted.now - span) if keys else ()
        found |= {row["key"]: row["calls"] for row in rows}
    return found


def _without(row: Mapping[Any, Any], name: str) -> dict[str, Any]:
    return {column: value for column, value in row.items() if column != name}
