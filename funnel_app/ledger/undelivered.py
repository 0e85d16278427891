"""Undelivered: what ended badly since a time, and how much went out beside it. Canaries are not counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import BADLY_ENDED, State
from funnel_app.ledger.base import written
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment

# The condition of the partial index, for the queries that want to use it.
NEWS = written(EmailEvent.kind, *BADLY_ENDED)


class Newest(NamedTuple):
    """The last of some emails to end badly: when we learned of it, and whose it is."""

    heard_at: datetime
    contact_id: UUID
    address: str


def newest(session: Session, state: State, since: datetime) -> Newest | None:
    """Return the last email of which we learned since a time that it ended so; None where there is none."""
    rows = _news(state, since, EmailEvent.recorded_at, Contact.id, Contact.email)
    found = session.execute(rows.join(Contact).order_by(EmailEvent.recorded_at.desc(), EmailEvent.id.desc()).limit(1))
    return next((Newest(*row) for row in found), None)


def reasons(session: Session, state: State, since: datetime) -> Sequence[tuple[str | None, int]]:
    """Return how many emails ended so since a time for each reason, the most frequent first."""
    number = func.count(Email.id.distinct())
    rows = _news(state, since, Email.reason, number).group_by(Email.reason)
    return [(reason, count) for reason, count in session.execute(rows.order_by(number.desc(), Email.reason))]


def of_sent(session: Session, state: State, since: datetime) -> tuple[int, int]:
    """Return how many of the emails that Resend took since a time ended so, and how many it took."""
    counted = select(func.count(Email.id).filter(Email.state == state), func.count(Email.id)).join(Enrolment)
    ended, sent = session.execute(counted.where(Email.sent_at >= since, Enrolment.mode != Mode.CANARY)).one()
    return ended, sent


def _news(state: State, since: datetime, *columns: Any) -> Select[Any]:
    rows = select(*columns).select_from(EmailEvent).join(Email, Email.id == EmailEvent.email_id).join(Enrolment)
    wanted = rows.where(NEWS, EmailEvent.kind == state, EmailEvent.recorded_at >= since, Email.state == state)
    # What we ourselves do not send to a suppressed address is no news: that its address is suppressed was told.
    by_provider = [Email.resend_id.is_not(None)] if state is State.SUPPRESSED else []
    return wanted.where(Enrolment.mode != Mode.CANARY, *by_provider)
