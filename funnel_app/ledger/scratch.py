"""Scratch ledger: a temporary one for simulations."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, event, func, insert, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.ledger import emails, suppressions, template_versions
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import (
    Contact,
    Email,
    Enrolment,
    HookEvent,
    Message,
    Request,
    Suppression,
    TemplateVersion,
)
from funnel_app.ledger.models.base import Base, written
from funnel_app.ledger.models.bookings import Booking


@contextmanager
def scratch_ledger() -> Iterator[Engine]:
    """Yield an empty ledger in this machine's temporary folder, deleted afterwards."""
    with TemporaryDirectory(prefix="funnel-simulation-") as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ledger.db'}")
        event.listen(engine, "connect", _without_syncs)
        Base.metadata.create_all(engine)
        try:
            yield engine
        finally:
            engine.dispose()


def _without_syncs(connection: Any, record: object) -> None:
    # A simulation need not survive a crash.
    connection.execute("PRAGMA synchronous=OFF")


def copy_texts(real: Session, scratch: Session, keys: Sequence[str], until: datetime) -> None:
    """Copy the version in use of each template, marked as just read until then."""
    for key in keys:
        version = template_versions.find_adopted(real, key) or template_versions.find_good(real, key)
        if version is not None:
            row = _row(version)
            scratch.execute(insert(TemplateVersion), row | {"checked_at": until, "adopted_at": version.since_at})


def copy_person(real: Session, scratch: Session, email_norm: str, pepper: str) -> UUID | None:
    """Copy everything about a person; return their id, None if the address is unknown."""
    contact = real.scalar(select(Contact).where(Contact.email_norm == email_norm))
    if contact is None:
        return None
    theirs = select(Enrolment.id).where(Enrolment.contact_id == contact.id)
    written_to = select(Email.id).where(Email.enrolment_id.in_(theirs))
    requests = select(Email.request_id).where(Email.enrolment_id.in_(theirs), Email.request_id.is_not(None))
    told = select(Message.request_id).where(Message.email_id.in_(written_to))
    _copy(real, scratch, Contact, Contact.id == contact.id)
    # One who was erased and came again is suppressed by the hash only.
    forbidden = [each.id for each in suppressions.of_address(real, email_norm, pepper)]
    _copy(real, scratch, Suppression, Suppression.id.in_(forbidden))
    _copy(real, scratch, HookEvent, HookEvent.contact_id == contact.id)
    _copy(real, scratch, Booking, Booking.contact_id == contact.id)
    _copy(real, scratch, Enrolment, Enrolment.contact_id == contact.id)
    _copy(real, scratch, Request, Request.id.in_(requests) | Request.id.in_(told))
    _copy(real, scratch, Email, Email.enrolment_id.in_(theirs))
    _copy(real, scratch, Message, Message.email_id.in_(written_to), template_version_id=None)
    return contact.id


def next_due(session: Session) -> tuple[UUID, datetime] | None:
    """Return the planned email that is due first, with its time; None if none is planned.

    One that waits for an earlier step of its sequence comes after that step.
    """
    found = session.execute(_next_due()).first()
    return (found[0], found[1]) if found else None


@cache
def _next_due() -> Select[UUID, datetime]:
    at = func.max(Email.due_at, func.coalesce(Email.next_attempt_at, Email.due_at), type_=Email.due_at.type)
    planned = written(Email.state, State.PLANNED)
    return select(Email.id, at).where(planned, ~emails.waits_for_earlier()).order_by(at, Email.step).limit(1)


def _copy(real: Session, scratch: Session, model: type[Base], where: ColumnElement[bool], **changed: Any) -> None:
    rows = [_row(each) | changed for each in real.scalars(select(model).where(where))]
    if rows:
        scratch.execute(insert(model), rows)


def _row(each: Base) -> dict[str, Any]:
    return {column.key: getattr(each, column.key) for column in type(each).__mapper__.column_attrs}
