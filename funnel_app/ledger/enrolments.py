"""Enrolments: a contact in a sequence, once per occurrence."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from funnel_app.campaigns.states import HOLDS_SUCCESSOR, State
from funnel_app.ledger import lead_events, outbox
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import is_there, unindexed, written
from funnel_app.rules.states import RUNNING, check

UNSETTLED = (*HOLDS_SUCCESSOR, State.SENT, State.DELAYED)


def add(session: Session, enrolment: Enrolment) -> Enrolment:
    """Keep a new enrolment with its emails."""
    session.add(enrolment)
    session.flush()
    return enrolment


def find(session: Session, enrolment_id: UUID | None) -> Enrolment | None:
    """Return an enrolment with its emails; None if the id is unknown."""
    return session.scalars(_FOUND, {"enrolment": enrolment_id}).one_or_none() if enrolment_id else None


_WHOLE = select(Enrolment).options(selectinload(Enrolment.emails))
_FOUND = _WHOLE.where(Enrolment.id == bindparam("enrolment"))
_OF_CONTACT = _WHOLE.where(Enrolment.contact_id == bindparam("contact")).order_by(Enrolment.created_at, Enrolment.id)
_RUNNING = _OF_CONTACT.where(written(Enrolment.state, *RUNNING))


def find_latest(session: Session, contact_id: UUID, campaign: str, sequence: str, occurrence: str) -> Enrolment | None:
    """Return the newest run of a contact in a sequence, with its emails; None if it never started."""
    wanted = (
        select(Enrolment)
        .where(
            Enrolment.contact_id == contact_id,
            Enrolment.campaign == campaign,
            Enrolment.sequence == sequence,
            Enrolment.occurrence == occurrence,
        )
        .order_by(Enrolment.run.desc())
        .limit(1)
        .options(selectinload(Enrolment.emails))
    )
    return session.scalars(wanted).one_or_none()


def running(session: Session, contact_id: UUID) -> list[Enrolment]:
    """Return the contact's running enrolments with their emails."""
    return list(session.scalars(_RUNNING, {"contact": contact_id}))


def of_contact(session: Session, contact_id: UUID) -> list[Enrolment]:
    """Return all enrolments of a contact with their emails, oldest first."""
    return list(session.scalars(_OF_CONTACT, {"contact": contact_id}))


def end(session: Session, enrolment: Enrolment, state: EnrolmentState, reason: str | None, now: datetime) -> None:
    """End an enrolment; ending it twice keeps the first reason. Set `exit_event` before."""
    if enrolment.state not in RUNNING:
        return
    check(EnrolmentState(enrolment.state), state)
    enrolment.state = state
    enrolment.exit_reason = reason
    enrolment.ended_at = now
    outbox.add(session.connection(), lead_events.ended(enrolment, now), now)


@cache
def lacks_step() -> ColumnElement[bool]:
    """Return the condition that a running enrolment with the sequence's current plan lacks a step's email.

    Callers bind `campaign`, `sequence`, `step` and `plan`; built once, since every sequence is checked each minute.
    Enrolments with another plan lack nothing. After a change some numbers may be unused; the last is at least as large.
    """
    return and_(
        written(Enrolment.state, EnrolmentState.ACTIVE),
        Enrolment.campaign == bindparam("campaign"),
        Enrolment.sequence == bindparam("sequence"),
        or_(Enrolment.plan.is_(None), Enrolment.plan == bindparam("plan")),
        ~exists().where(Email.enrolment_id == Enrolment.id, Email.step >= bindparam("step")),
    )


def who_lack(session: Session, step: Mapping[str, Any], limit: int) -> list[UUID]:
    """Return the contacts of the enrolments that `lacking` would return."""
    return [row["contact_id"] for row in _WHO_LACK.ask(session.connection(), **step, most=limit)]


_WHO_LACK = Question(select(Enrolment.contact_id).where(lacks_step()).order_by(Enrolment.id).limit(bindparam("most")))


def lacking(session: Session, step: Mapping[str, Any], limit: int) -> list[Enrolment]:
    """Return running enrolments that lack a step, as `lacks_step` defines it, with emails and contact."""
    return list(session.scalars(_LACKING, {**step, "most": limit}))


_LACKING = (
    _WHOLE.options(joinedload(Enrolment.contact)).where(lacks_step()).order_by(Enrolment.id).limit(bindparam("most"))
)


def finished(session: Session, limit: int) -> list[Enrolment]:
    """Return active enrolments without an email that we can still change or that awaits confirmation."""
    return list(session.scalars(_FINISHED, {"most": limit}))


_UNSETTLED = select(Email.id).where(Email.enrolment_id == Enrolment.id, unindexed(Email.state).in_(UNSETTLED))
_FINISHED = (
    select(Enrolment)
    .where(written(Enrolment.state, EnrolmentState.ACTIVE), ~is_there(_UNSETTLED))
    .limit(bindparam("most"))
)
