"""Imports: lists uploaded in the console, their progress, and their rows' results.

The file is kept only until its rows are imported, or for a day. Results hold no address: the file is read again for
one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, and_, bindparam, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from funnel_app.ledger.models.base import Base
from funnel_app.ledger.models.types import Compressed, new_id

LEASE = timedelta(seconds=60)


class ImportState(StrEnum):
    """State of an import."""

    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


ACTIVE = (ImportState.WAITING, ImportState.RUNNING)
OVER = (ImportState.STOPPED, ImportState.DONE, ImportState.FAILED)


class Import(Base):
    """One list that somebody uploaded in the console, and how far its rows are."""

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime]
    operator: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[ImportState] = mapped_column(String(16), default=ImportState.DRAFT)
    file: Mapped[str | None] = mapped_column(Compressed)
    wish: Mapped[dict[str, Any] | None]
    rows: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    fault: Mapped[str | None] = mapped_column(Text)


class ImportAnswers(Base):
    """The answers to a batch of rows: number, answer, reason and contact of each."""

    __tablename__ = "import_answers"
    __table_args__ = (Index("ix_import_answers_import_id", "import_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"))
    answers: Mapped[list[Any]]


def find(session: Session, import_id: UUID) -> Import | None:
    """Return an import; None if the id is unknown."""
    return session.get(Import, import_id)


def newest(session: Session, limit: int) -> list[Import]:
    """Return the newest imports without their files."""
    wanted = select(Import).options(defer(Import.file)).order_by(Import.id.desc())
    return list(session.scalars(wanted.limit(limit)))


def _free(now: datetime) -> ColumnElement[bool]:
    taker_died = and_(Import.state == ImportState.RUNNING, Import.lease_until < now)
    return or_(Import.state == ImportState.WAITING, taker_died)


def waits(session: Session, now: datetime) -> bool:
    """Say whether an import waits to run."""
    return session.scalars(select(Import.id).where(_free(now)).limit(1)).first() is not None


def claim(session: Session, now: datetime) -> Import | None:
    """Claim the oldest waiting import, or one whose process died, from its next row on.

    One that failed comes after all others.
    """
    oldest = (
        select(Import.id).where(_free(now)).order_by(Import.fault.is_not(None), Import.id).limit(1).scalar_subquery()
    )
    taken = update(Import).where(Import.id == oldest, _free(now))
    values = {"state": ImportState.RUNNING, "lease_until": now + LEASE, "done": 0}
    won = session.scalars(taken.values(values).returning(Import)).first()
    if won is not None:
        session.execute(delete(ImportAnswers).where(ImportAnswers.import_id == won.id))
    return won


def advance(session: Session, taken: Import, rows: int, answers: Sequence[list[Any]], now: datetime) -> bool:
    """Record progress with the rows' results; False if the import was stopped or claimed by another process."""
    mine = Import.state == ImportState.RUNNING, Import.lease_until == taken.lease_until
    until = now + LEASE
    going = update(Import).where(Import.id == taken.id, *mine).values(done=Import.done + rows, lease_until=until)
    if not session.scalars(going.returning(Import.id)).all():
        return False
    taken.lease_until = until
    if answers:
        session.add(ImportAnswers(import_id=taken.id, answers=list(answers)))
    return True


def turn(session: Session, import_id: UUID, before: Sequence[ImportState], to: ImportState, **values: Any) -> bool:
    """Change an import's state from one of these; False if it is in none of them."""
    turned = update(Import).where(Import.id == import_id, Import.state.in_(before))
    return bool(session.scalars(turned.values(state=to, **values).returning(Import.id)).all())


def halt(session: Session, why: str, now: datetime) -> None:
    """Stop all waiting and running imports; an operator resumes them."""
    going = update(Import).where(Import.state.in_(ACTIVE))
    session.execute(going.values(state=ImportState.STOPPED, fault=why, ended_at=now, lease_until=None))


def stopped_since(session: Session, since: datetime) -> list[str]:
    """Return the names of lists that failed since a time."""
    return list(session.scalars(_STOPPED_SINCE, {"since": since}))


# Worded once: each look of the watch asks it.
_STOPPED_SINCE = (
    select(Import.name)
    .where(Import.state == ImportState.STOPPED, Import.fault.is_not(None), Import.ended_at >= bindparam("since"))
    .order_by(Import.id)
)


def answers_of(session: Session, import_id: UUID) -> list[list[Any]]:
    """Return the results of an import's rows, in the order of the file."""
    found = select(ImportAnswers.answers).where(ImportAnswers.import_id == import_id).order_by(ImportAnswers.id)
    return [answer for answers in session.scalars(found) for answer in answers]


def count_answers(session: Session, import_id: UUID) -> Counter[str]:
    """Count an import's results by kind."""
    return Counter(answer for _, answer, _, _ in answers_of(session, import_id))


def forget(session: Session, drafts_before: datetime, before: datetime) -> int:
    """Delete old drafts, finished and stopped imports with their results; return how many.

    A stopped import's file is deleted when a draft's would be; its results stay.
    """
    stopped = Import.state == ImportState.STOPPED, Import.ended_at < drafts_before, Import.file.is_not(None)
    session.execute(update(Import).where(*stopped).values(file=None))
    old_draft = and_(Import.state == ImportState.DRAFT, Import.created_at < drafts_before)
    over = and_(Import.state.in_(OVER), Import.created_at < before)
    # Locked, so that none of them is started before it is deleted.
    old = [*session.scalars(select(Import.id).where(or_(old_draft, over)).with_for_update())]
    session.execute(delete(ImportAnswers).where(ImportAnswers.import_id.in_(old)))
    session.execute(delete(Import).where(Import.id.in_(old)))
    return len(old)


def resting(session: Session, names: Callable[[str], bool]) -> list[UUID]:
    """Return inactive imports whose files contain personal data."""
    kept = select(Import).where(Import.file.is_not(None), Import.state.not_in(ACTIVE)).execution_options(yield_per=1)
    return [each.id for each in session.scalars(kept) if names(each.file or "")]


def forget_files(session: Session, ids: Collection[UUID]) -> None:
    """Delete these imports' files unless they run: a running import skips erased people."""
    theirs = update(Import).where(Import.id.in_(list(ids)), Import.state.not_in(ACTIVE))
    session.execute(theirs.values(file=None, state=ImportState.FAILED, fault="it named somebody who was erased"))
