"""Undelivered: what failed since a time, and how much was accepted. Without canaries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import BADLY_ENDED, State
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, Message
from funnel_app.ledger.models.base import written

# The condition of the partial index, for queries that should use it.
NEWS = written(EmailEvent.kind, *BADLY_ENDED)


class Newest(NamedTuple):
    """The last of some failures: when we learned of it, its contact, and the address that it went to."""

    heard_at: datetime
    contact_id: UUID
    address: str


def any_since(session: Session, since: datetime) -> bool:
    """Say whether any failure was reported since a time, which is mostly not so and costs less than to ask for each."""
    heard = select(EmailEvent.id).where(NEWS, EmailEvent.recorded_at >= since)
    return session.scalars(heard.limit(1)).first() is not None


def newest(session: Session, state: State, since: datetime) -> Newest | None:
    """Return the last such failure that we learned of since a time; None if there is none."""
    # The contact's address may have been corrected since.
    went_to = func.coalesce(Message.recipient, Contact.email)
    rows = _news(state, since, EmailEvent.recorded_at, Contact.id, went_to).join(Contact)
    newest_first = EmailEvent.recorded_at.desc(), EmailEvent.id.desc(), Message.freeze.desc()
    found = session.execute(rows.outerjoin(Message, Message.email_id == Email.id).order_by(*newest_first).limit(1))
    return next((Newest(*row) for row in found), None)


def reasons(session: Session, state: State, since: datetime) -> Sequence[tuple[str | None, int]]:
    """Return the number of such failures since a time by reason, most frequent first."""
    number = func.count(Email.id.distinct())
    rows = _news(state, since, Email.reason, number).group_by(Email.reason)
    return [(reason, count) for reason, count in session.execute(rows.order_by(number.desc(), Email.reason))]


def of_sent(session: Session, state: State, since: datetime) -> tuple[int, int]:
    """Return how many emails accepted since a time failed so, and how many were accepted."""
    counted = select(func.count(Email.id).filter(Email.state == state), func.count(Email.id)).join(Enrolment)
    ended, sent = session.execute(counted.where(Email.sent_at >= since, Enrolment.mode != Mode.CANARY)).one()
    return ended, sent


def _news(state: State, since: datetime, *columns: Any) -> Select[Any]:
    rows = select(*columns).select_from(EmailEvent).join(Email, Email.id == EmailEvent.email_id).join(Enrolment)
    wanted = rows.where(NEWS, EmailEvent.kind == state, EmailEvent.recorded_at >= since, Email.state == state)
    # Emails that we suppressed ourselves are not news: the suppression was reported.
    by_provider = [Email.resend_id.is_not(None)] if state is State.SUPPRESSED else []
    return wanted.where(Enrolment.mode != Mode.CANARY, *by_provider)
