"""Canaries: the state of the newest, and deleting old ones, so that they never look like leads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.model import Mode
from funnel_app.ledger.email_events import came_by_itself
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent, Message, Request

PREFIX, DOMAIN = "delivered+canary-", "resend.dev"
PATTERN = f"{PREFIX}%@{DOMAIN}"


@dataclass(frozen=True)
class CanaryRun:
    """One canary: when it started, and its email's state; `reported` says whether Resend's webhook told it."""

    enrolment_id: UUID
    started_at: datetime
    state: str
    reason: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    reported: bool


@cache
def is_canary() -> ColumnElement[bool]:
    """Return the condition that a contact is a canary."""
    return Contact.email_norm.like(PATTERN)


@cache
def enrolments_of_canaries() -> Select[UUID]:
    """Return the enrolments of canaries: few, and found through the index on sequences."""
    return select(Enrolment.id).where(Enrolment.sequence == CANARY, Enrolment.mode == Mode.CANARY)


@cache
def of_canary() -> ColumnElement[bool]:
    """Return the condition that an email is a canary's."""
    return Email.enrolment_id.in_(enrolments_of_canaries())


def count_without(
    session: Session, rows: Select[*tuple[Any, ...]], values: Mapping[str, object]
) -> dict[tuple[Any, ...], int]:
    """Return a grouped query's counts, the last column, by its other columns, minus the canaries.

    They are subtracted, since the index behind the figures does not know whose an email is. The query is one that its
    module has worded once: what is asked of the canaries is kept beside it.
    """
    counted = Counter({tuple(group): count for *group, count in session.execute(rows, values)})
    counted.subtract({tuple(group): count for *group, count in session.execute(_of_canaries(rows), values)})
    return {group: count for group, count in counted.items() if count > 0}


@cache
def _of_canaries(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return rows.where(of_canary())


def latest(session: Session) -> CanaryRun | None:
    """Return the newest canary; None where none has run yet."""
    row = session.execute(_latest()).one_or_none()
    return CanaryRun(*row) if row else None


def latest_arrived(session: Session) -> CanaryRun | None:
    """Return the newest canary that arrived; None if none did."""
    row = session.execute(_latest().where(Email.delivered_at.is_not(None))).one_or_none()
    return CanaryRun(*row) if row else None


def get(session: Session, enrolment_id: UUID) -> CanaryRun:
    """Return one canary; NoResultFound if the id is unknown."""
    return CanaryRun(*session.execute(_flights().where(Enrolment.id == enrolment_id)).one())


@cache
def _latest() -> Select[UUID, datetime, str, str | None, datetime | None, datetime | None, bool]:
    return _flights().order_by(Enrolment.id.desc()).limit(1)


@cache
def _flights() -> Select[UUID, datetime, str, str | None, datetime | None, datetime | None, bool]:
    told = exists().where(EmailEvent.email_id == Email.id, came_by_itself())
    columns = (Enrolment.id, Enrolment.created_at, Email.state, Email.reason, Email.sent_at, Email.delivered_at, told)
    return select(*columns).join(Email, Email.enrolment_id == Enrolment.id).where(Enrolment.mode == Mode.CANARY)


def old_contacts(session: Session, before: datetime, limit: int) -> list[UUID]:
    """Return the contacts of canaries that started before a time."""
    old = select(Enrolment.contact_id).where(Enrolment.mode == Mode.CANARY, Enrolment.created_at < before)
    return list(session.scalars(old.limit(limit)))


def delete_with_everything(session: Session, contact_ids: Sequence[UUID]) -> None:
    """Delete these contacts with all their emails, events and enrolments."""
    enrolments = select(Enrolment.id).where(Enrolment.contact_id.in_(contact_ids))
    emails = list(session.scalars(select(Email.id).where(Email.enrolment_id.in_(enrolments))))
    requests = list(
        session.scalars(select(Email.request_id).where(Email.id.in_(emails), Email.request_id.is_not(None)))
    )
    session.execute(delete(Message).where(Message.email_id.in_(emails)))
    session.execute(delete(EmailEvent).where(EmailEvent.email_id.in_(emails)))
    session.execute(delete(Email).where(Email.id.in_(emails)))
    session.execute(delete(Request).where(Request.id.in_(requests), ~exists().where(Email.request_id == Request.id)))
    session.execute(delete(Enrolment).where(Enrolment.contact_id.in_(contact_ids)))
    session.execute(delete(HookEvent).where(HookEvent.contact_id.in_(contact_ids)))
    session.execute(delete(Contact).where(Contact.id.in_(contact_ids)))
