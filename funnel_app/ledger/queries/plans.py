"""Plans: who follows which plan of their sequence; without canaries."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, func, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.models.base import written
from funnel_app.rules.sequences.under_way import Row
from funnel_app.rules.states import RUNNING

Word = str | ColumnElement[str]
_RUNS = (written(Enrolment.state, *RUNNING), Enrolment.mode != Mode.CANARY)
# Worded once, as all that every page or sweep asks: wording takes longer than asking.
_BY = (Enrolment.campaign, Enrolment.sequence, Enrolment.plan, Enrolment.plan_kept)
_BY_PLAN = select(*_BY, func.count()).where(*_RUNS).group_by(*_BY)
_TEXTS_WAITING = (
    select(Enrolment.campaign, Email.template_key)
    .join(Email, Email.enrolment_id == Enrolment.id)
    .where(written(Email.state, State.PLANNED, State.HELD), Enrolment.mode != Mode.CANARY)
    .distinct()
)


@dataclass(frozen=True)
class File:
    """A sequence's current plan, and its fingerprint."""

    campaign: str
    sequence: str
    plan: str
    fingerprint: str

    def differs(self, plan: str | None, kept: str | None) -> bool:
        """Say whether an enrolment's plan differs from the file, and nobody kept it from this change."""
        return plan not in {None, self.plan} and kept != self.fingerprint


def by_plan(session: Session) -> list[tuple[str, str, str | None, str | None, int]]:
    """Count running enrolments by campaign, sequence, plan, and the change that an operator kept them from."""
    rows = session.execute(_BY_PLAN)
    return [(campaign, sequence, plan, kept, number) for campaign, sequence, plan, kept, number in rows]


def newest_by_plan(session: Session, file: File) -> dict[str, datetime]:
    """Return when the newest lead came by each plan of a sequence."""
    of = (Enrolment.campaign == file.campaign, Enrolment.sequence == file.sequence, Enrolment.plan.is_not(None))
    wanted = select(Enrolment.plan, func.max(Enrolment.created_at)).where(*of, Enrolment.mode != Mode.CANARY)
    return {plan: at for plan, at in session.execute(wanted.group_by(Enrolment.plan)) if plan is not None}


def texts_waiting(session: Session) -> set[tuple[str, str]]:
    """Return the templates of all waiting emails, each with its campaign."""
    return {(campaign, key) for campaign, key in session.execute(_TEXTS_WAITING)}


def older_ids(session: Session, file: File, after: UUID | None, until: UUID, limit: int) -> list[UUID]:
    """Return the enrolments whose plan is not the file's, by id from one on and until another."""
    asked = {**asdict(file), "until": until, "most": limit}
    return list(session.scalars(_OLDER_AFTER, {**asked, "after": after}) if after else session.scalars(_OLDER, asked))


def load(session: Session, ids: Collection[UUID]) -> list[Enrolment]:
    """Return enrolments with their emails and contact, fresh from the ledger."""
    wanted = select(Enrolment).where(Enrolment.id.in_(list(ids))).order_by(Enrolment.id)
    whole = (selectinload(Enrolment.emails), joinedload(Enrolment.contact))
    return list(session.scalars(wanted.options(*whole).execution_options(populate_existing=True)))


def keep(session: Session, file: File, ids: Collection[UUID]) -> int:
    """Keep these enrolments on their plan, if it still differs from the file; return how many."""
    behind = update(Enrolment).where(Enrolment.id.in_(list(ids)), *_behind(**asdict(file)))
    return len(list(session.scalars(behind.values(plan_kept=file.fingerprint).returning(Enrolment.id))))


def change(session: Session, emails: dict[UUID, Email], rows: Collection[Row]) -> None:
    """Give emails their new time, template and number; numbers may be swapped among them."""
    moving = [(emails[row.id], row) for row in rows if emails[row.id].step != row.step]
    for email, _ in moving:
        email.step = -email.step
    session.flush()
    for email, row in moving:
        email.step = row.step
    for row in rows:
        email = emails[row.id]
        if email.due_at != row.due_at and email.state == State.PLANNED:
            email.next_attempt_at = None
        email.due_at, email.was_due_at, email.template_key = row.due_at, row.was_due_at, row.template_key
    session.flush()


def _behind(campaign: Word, sequence: Word, plan: Word, fingerprint: Word) -> tuple[ColumnElement[bool], ...]:
    not_kept = or_(Enrolment.plan_kept.is_(None), Enrolment.plan_kept != fingerprint)
    of = (Enrolment.campaign == campaign, Enrolment.sequence == sequence)
    return (*_RUNS, *of, Enrolment.plan.is_not(None), Enrolment.plan != plan, not_kept)


_OLDER = (
    select(Enrolment.id)
    .where(*_behind(**{each.name: bindparam(each.name, type_=String) for each in fields(File)}))
    .where(Enrolment.id < bindparam("until"))
    .order_by(Enrolment.id)
    .limit(bindparam("most"))
)
_OLDER_AFTER = _OLDER.where(Enrolment.id > bindparam("after"))
