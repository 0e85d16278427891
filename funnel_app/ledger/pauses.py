"""Pauses: all sending or one sequence, paused by an operator until a time or until resumed.

Test emails are not paused: they show that sending works, and reach no lead.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Index,
    String,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, aliased, mapped_column

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.models.base import Base, written
from funnel_app.ledger.models.types import UtcTime, new_id

OPEN = text("ended_at IS NULL")
EVERYTHING = ("", "")


class Pause(Base):
    """One pause of sending by a person: of everything without a campaign, else of one sequence."""

    __tablename__ = "pauses"
    __table_args__ = (
        Index("uq_pauses_open", "campaign", "sequence", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    campaign: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    operator: Mapped[str] = mapped_column(String(60))
    began_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def of_everything(self) -> bool:
        """Whether it covers all sending."""
        return (self.campaign, self.sequence) == EVERYTHING


def is_paused(
    enrolment: type[Enrolment], now: ColumnElement[datetime] | InstrumentedAttribute[datetime]
) -> ColumnElement[bool]:
    """Return the condition that an enrolment under this alias is paused at a time, as a column has it or now."""
    pause = aliased(Pause)
    its_own = and_(pause.campaign == enrolment.campaign, pause.sequence == enrolment.sequence)
    covered = exists().where(_stands(pause, now), or_(pause.campaign == "", its_own))
    return and_(covered, enrolment.mode != Mode.CANARY)


def _stands(
    pause: type[Pause], now: ColumnElement[datetime] | InstrumentedAttribute[datetime] | datetime
) -> ColumnElement[bool]:
    return and_(pause.ended_at.is_(None), or_(pause.until_at.is_(None), pause.until_at > now))


def standing(session: Session, now: datetime) -> list[Pause]:
    """Return the active pauses, that of everything first."""
    return list(session.scalars(_STANDING, {"now": now}))


_NOW = bindparam("now", type_=UtcTime)
_STANDING = select(Pause).where(_stands(Pause, _NOW)).order_by(Pause.campaign, Pause.sequence)
_ENDED_AT = func.coalesce(Pause.ended_at, Pause.until_at, type_=UtcTime())
_LAST_ENDED_AT = select(func.max(_ENDED_AT)).where(_ENDED_AT <= _NOW)


def over(session: Session, limit: int, now: datetime) -> list[Pause]:
    """Return the past pauses, newest first."""
    return list(session.scalars(select(Pause).where(~_stands(Pause, now)).order_by(Pause.id.desc()).limit(limit)))


def covering(found: Iterable[Pause], enrolment: Enrolment) -> Pause | None:
    """Return the pause among these that covers an enrolment; None if none does."""
    if enrolment.mode == Mode.CANARY:
        return None
    names = (EVERYTHING, (enrolment.campaign, enrolment.sequence))
    return next((pause for pause in found if (pause.campaign, pause.sequence) in names), None)


def begin(session: Session, pause: Pause) -> None:
    """Start a pause, replacing an active or expired one of the same scope."""
    same = Pause.campaign == pause.campaign, Pause.sequence == pause.sequence, Pause.ended_at.is_(None)
    by_itself = and_(Pause.until_at.is_not(None), Pause.until_at <= pause.began_at)
    session.execute(update(Pause).where(*same, by_itself).values(ended_at=Pause.until_at))
    session.execute(update(Pause).where(*same).values(ended_at=pause.began_at))
    session.add(pause)


def end(session: Session, campaign: str, sequence: str, now: datetime) -> bool:
    """End an active pause; False if there is none."""
    wanted = update(Pause).where(Pause.campaign == campaign, Pause.sequence == sequence, _stands(Pause, now))
    return bool(list(session.scalars(wanted.values(ended_at=now).returning(Pause.id))))


def due_before(session: Session, end_at: datetime) -> list[tuple[str, str, datetime, datetime | None]]:
    """Return the emails planned before a time: campaign, sequence, first due time, and latest allowed time."""
    wanted_at = func.coalesce(Email.was_due_at, Email.due_at, type_=UtcTime())
    columns = (Enrolment.campaign, Enrolment.sequence, wanted_at, Email.latest_at)
    planned = written(Email.state, State.PLANNED), Email.due_at < end_at, Enrolment.mode != Mode.CANARY
    rows = session.execute(select(*columns).join(Enrolment, Enrolment.id == Email.enrolment_id).where(*planned))
    return [(campaign, sequence, due_at, latest_at) for campaign, sequence, due_at, latest_at in rows]


def last_ended_at(session: Session, now: datetime) -> datetime | None:
    """Return when a pause was last ended by somebody, or by its own end; None if none was."""
    return session.scalar(_LAST_ENDED_AT, {"now": now})


def count_waiting(session: Session, now: datetime) -> int:
    """Count the due emails that a pause holds up."""
    from_then = select(func.count(Email.id)).join(Enrolment, Enrolment.id == Email.enrolment_id)
    paused = is_paused(Enrolment, literal(now, UtcTime))
    return session.scalar(from_then.where(written(Email.state, State.PLANNED), Email.due_at <= now, paused)) or 0
