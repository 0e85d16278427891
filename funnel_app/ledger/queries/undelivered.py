"""Undelivered: what failed since a time, and how much was accepted. Without canaries."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import BADLY_ENDED, State
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, Message
from funnel_app.ledger.models.base import written

# The condition of the partial index, for queries that should use it.
NEWS = written(EmailEvent.kind, *BADLY_ENDED)
# All are worded once: wording takes longer than asking, and every look of the watch asks.
_RECENT = EmailEvent.recorded_at >= bindparam("since")
_ANY = select(EmailEvent.id).where(NEWS, _RECENT).limit(1)


class Newest(NamedTuple):
    """The last of some failures: when we learned of it, its contact, and the address that it went to."""

    heard_at: datetime
    contact_id: UUID
    address: str


def any_since(session: Session, since: datetime) -> bool:
    """Say whether any failure was reported since a time, which is mostly not so and costs less than to ask for each."""
    return session.scalars(_ANY, {"since": since}).first() is not None


def newest(session: Session, state: State, since: datetime) -> Newest | None:
    """Return the last such failure that we learned of since a time; None if there is none."""
    found = session.execute(_newest(state is State.SUPPRESSED), {"state": state, "since": since})
    return next((Newest(*row) for row in found), None)


@cache
def _newest(by_provider: bool) -> Select[datetime, UUID, str]:
    # The contact's address may have been corrected since.
    went_to = func.coalesce(Message.recipient, Contact.email)
    rows = _news(by_provider, EmailEvent.recorded_at, Contact.id, went_to).join(Contact)
    newest_first = EmailEvent.recorded_at.desc(), EmailEvent.id.desc(), Message.freeze.desc()
    return rows.outerjoin(Message, Message.email_id == Email.id).order_by(*newest_first).limit(1)


def reasons(session: Session, state: State, since: datetime) -> Sequence[tuple[str | None, int]]:
    """Return the number of such failures since a time by reason, most frequent first."""
    rows = session.execute(_reasons(state is State.SUPPRESSED), {"state": state, "since": since})
    return [(reason, count) for reason, count in rows]


@cache
def _reasons(by_provider: bool) -> Select[str | None, int]:
    number = func.count(Email.id.distinct())
    rows = _news(by_provider, Email.reason, number).group_by(Email.reason)
    return rows.order_by(number.desc(), Email.reason)


def of_sent(session: Session, state: State, since: datetime) -> tuple[int, int]:
    """Return how many emails accepted since a time failed so, and how many were accepted."""
    ended, sent = session.execute(_OF_SENT, {"state": state, "since": since}).one()
    return ended, sent


_OF_SENT = (
    select(func.count(Email.id).filter(Email.state == bindparam("state")), func.count(Email.id))
    .join(Enrolment)
    .where(Email.sent_at >= bindparam("since"), Enrolment.mode != Mode.CANARY)
)


def _news(by_provider: bool, *columns: Any) -> Select[Any]:
    rows = select(*columns).select_from(EmailEvent).join(Email, Email.id == EmailEvent.email_id).join(Enrolment)
    wanted = rows.where(NEWS, EmailEvent.kind == bindparam("state"), _RECENT, Email.state == bindparam("state"))
    # Emails that we suppressed ourselves are not news: the suppression was reported.
    theirs = [Email.resend_id.is_not(None)] if by_provider else []
    return wanted.where(Enrolment.mode != Mode.CANARY, *theirs)
