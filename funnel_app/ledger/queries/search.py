"""Search: what operators look for by words. The number of rows searched is bounded, whatever the history."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.ledger.models import Email, Enrolment, HookEvent, Message

LOOKED_THROUGH = 20_000
# Separators that people type in telephone numbers.
BETWEEN_DIGITS = " -.()/"


class SentEmail(NamedTuple):
    """A sent email, as its reader first sees it."""

    id: UUID
    subject: str
    recipient: str
    at: datetime


def has_words(session: Session, told: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """Return the condition that a text contains these words, ignoring case."""
    if session.get_bind().dialect.name == "postgresql":
        return told.icontains(words, autoescape=True)
    # SQLite's LIKE folds only ASCII, so other words are searched as typed and with the case swapped.
    forms = {words} if words.isascii() else {words, words.lower(), words.upper(), words.title()}
    return or_(*(told.contains(form, autoescape=True) for form in forms))


def sent_with_subject(session: Session, words: str, limit: int) -> list[SentEmail]:
    """Return the newest emails with these words in their subject, among the last twenty thousand sent."""
    columns = (Message.id, Message.email_id, Message.subject, Message.recipient, Message.created_at)
    newest = select(*columns).order_by(Message.id.desc()).limit(LOOKED_THROUGH).subquery()
    rows = (
        select(newest.c.email_id, newest.c.subject, newest.c.recipient, newest.c.created_at)
        .join(Email, Email.id == newest.c.email_id)
        .join(Enrolment, Enrolment.id == Email.enrolment_id)
        .where(has_words(session, newest.c.subject, words), Enrolment.mode != Mode.CANARY)
        .order_by(newest.c.id.desc())
        .limit(limit)
    )
    return [SentEmail(*row) for row in session.execute(rows)]


def sent_of(session: Session, email_ids: Collection[UUID]) -> list[SentEmail]:
    """Return these emails as they were last sent, without unsent ones."""
    columns = (Message.email_id, Message.subject, Message.recipient, Message.created_at)
    rows = session.execute(select(*columns).where(Message.email_id.in_(list(email_ids))).order_by(Message.id))
    return list({row[0]: SentEmail(*row) for row in rows}.values())


def sent_in(session: Session, request_id: UUID) -> list[SentEmail]:
    """Return the emails of one call to Resend, as they were sent by it."""
    columns = (Message.email_id, Message.subject, Message.recipient, Message.created_at)
    rows = select(*columns).where(Message.request_id == request_id).order_by(Message.id)
    return [SentEmail(*row) for row in session.execute(rows)]


def calls_with_number(session: Session, digits: str, limit: int) -> list[HookEvent]:
    """Return the newest calls with a telephone number of these digits, among the last twenty thousand."""
    newest = select(HookEvent.id, HookEvent.payload).where(HookEvent.mode != Mode.CANARY)
    rows = newest.order_by(HookEvent.id.desc()).limit(LOOKED_THROUGH).subquery()
    told: ColumnElement[str] = cast(rows.c.payload, String)
    for between in BETWEEN_DIGITS:
        told = func.replace(told, between, "")
    ids = select(rows.c.id).where(told.contains(digits, autoescape=True)).order_by(rows.c.id.desc()).limit(limit)
    return list(session.scalars(select(HookEvent).where(HookEvent.id.in_(ids)).order_by(HookEvent.id.desc())))
