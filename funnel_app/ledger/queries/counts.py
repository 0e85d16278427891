"""Counts: what is stuck, missing or duplicated, each by one query over unfinished rows only.

Canaries are not counted.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import of_canary
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.emails import PLANNED, UNCONFIRMED, UNDER_WAY, claimable, enrolment_runs, waits_for_earlier
from funnel_app.ledger.enrolments import lacks_step
from funnel_app.ledger.models import Email, EmailEvent, Enrolment, Request
from funnel_app.ledger.models.base import one_of
from funnel_app.ledger.queries.ahead import STUCK


def _emails_that(*conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count(Email.id)).where(*conditions, ~of_canary())


def _asked_for_by(name: str) -> ColumnElement[bool]:
    # What a person asked for is late from then on.
    return or_(Email.asked_for_at.is_(None), Email.asked_for_at <= bindparam(name))


# The questions are asked every minute and by most pages, and building one takes longer than answering it.
_OVERDUE = select(func.count(Email.id)).where(PLANNED, claimable(), _asked_for_by("now"))
_DUE = Email.due_at <= bindparam("before")
# What waits for an earlier email that goes, goes too.
_WAITED = select(func.count(Email.id)).where(
    PLANNED, _DUE, _asked_for_by("before"), enrolment_runs(), ~waits_for_earlier(STUCK)
)
_WAITED_AND_GOES = _emails_that(UNDER_WAY, Email.state == State.SENDING, _DUE)
_IN_STATE = _emails_that(UNDER_WAY, Email.state == bindparam("state"))
_SENDING = _emails_that(UNDER_WAY, Email.state == State.SENDING, Email.sending_at < bindparam("before"))
_SENT = _emails_that(UNCONFIRMED, Email.state == State.SENT, Email.sent_at < bindparam("before"))
_SENDING_UNEXPLAINED = _SENDING.where(~exists().where(Request.id == Email.request_id, Request.last_error.is_not(None)))
_SENT_UNEXPLAINED = _SENT.where(Email.reason.is_(None))
_INCOMPLETE = select(func.count(Enrolment.id)).where(lacks_step())
_MIRROR_BEHIND = select(func.count(Enrolment.id)).where(
    Enrolment.mirror_stale_since < bindparam("before"), Enrolment.mode != Mode.CANARY
)
_ORPHANS = select(func.count(EmailEvent.id)).where(
    EmailEvent.email_id.is_(None), EmailEvent.recorded_at >= bindparam("since"), EmailEvent.claimed_id.is_not(None)
)
_BY_STATE_AND_REASON = (
    select(Email.state, Email.reason, func.count(Email.id))
    .where(Email.enrolment_id.in_(select(Enrolment.id).where(one_of(Enrolment.mode, "modes"))))
    .group_by(Email.state, Email.reason)
)
_PLANNED_FROM = (
    select(Enrolment.sequence, Email.step, func.count(Email.id))
    .join(Enrolment, Enrolment.id == Email.enrolment_id)
    .where(PLANNED, Email.due_at >= bindparam("start"), Enrolment.campaign == bindparam("campaign"))
    .where(Enrolment.mode == Mode.LIVE)
    .group_by(Enrolment.sequence, Email.step)
)
_WITH_SEVERAL_IDS = (
    select(EmailEvent.email_id)
    .where(EmailEvent.email_id.is_not(None), EmailEvent.resend_id.is_not(None))
    .where(EmailEvent.email_id.not_in(select(Email.id).where(of_canary())))
    .group_by(EmailEvent.email_id)
    .having(func.count(EmailEvent.resend_id.distinct()) > 1)
)
_REPORTS_OF_SEVERAL_IDS = select(EmailEvent.email_id, EmailEvent.resend_id, EmailEvent.kind).where(
    EmailEvent.email_id.in_(_WITH_SEVERAL_IDS), EmailEvent.resend_id.is_not(None)
)


def overdue(session: Session, before: datetime, modes: Collection[str]) -> int:
    """Count the planned emails that a claim at this time would have won, and that nobody asked for since."""
    return _count(session, _OVERDUE, now=before, modes=_counted(modes))


def not_gone(session: Session, before: datetime, now: datetime, modes: Collection[str]) -> int:
    """Count the emails due before a time that are on their way to Resend now, or planned with nothing to stop them.

    It only falls as they go: one that is tried again, or that the one before it keeps, is counted all the time.
    """
    planned = _count(session, _WAITED, before=before, now=now, modes=_counted(modes))
    return planned + _count(session, _WAITED_AND_GOES, before=before)


def _counted(modes: Collection[str]) -> list[str]:
    return [mode for mode in modes if mode != Mode.CANARY]


def sending_since(session: Session, before: datetime) -> int:
    """Count the emails that have been in flight since before a time."""
    return _count(session, _SENDING, before=before)


def sent_since(session: Session, before: datetime) -> int:
    """Count the emails that Resend accepted before a time and has not reported on."""
    return _count(session, _SENT, before=before)


def in_state(session: Session, state: State) -> int:
    """Count the emails in a state that needs attention: sending, held or ambiguous."""
    return _count(session, _IN_STATE, state=state)


def incomplete(session: Session, campaign: str, sequence: str, steps: int, plan: str) -> int:
    """Count the running enrolments of a sequence that lack the last email of its current plan."""
    return _count(session, _INCOMPLETE, campaign=campaign, sequence=sequence, step=steps, plan=plan)


def mirror_behind(session: Session, before: datetime) -> int:
    """Count the enrolments whose Notion page has been outdated since before a time; canaries have none."""
    return _count(session, _MIRROR_BEHIND, before=before)


def orphans(session: Session, since: datetime) -> int:
    """Count the reports since a time that name an email of ours that does not exist."""
    return _count(session, _ORPHANS, since=since)


def by_state_and_reason(session: Session, modes: Collection[str]) -> list[tuple[State, str | None, int]]:
    """Return how many emails are in each state for each reason."""
    rows = session.execute(_BY_STATE_AND_REASON, {"modes": list(modes)})
    return [(State(state), reason, count) for state, reason, count in rows]


def sending_without_word(session: Session, before: datetime) -> int:
    """Count the emails in flight since before a time without an answer that explains it."""
    return _count(session, _SENDING_UNEXPLAINED, before=before)


def sent_without_word(session: Session, before: datetime) -> int:
    """Count the emails accepted before a time whose outcome could not even be asked for."""
    return _count(session, _SENT_UNEXPLAINED, before=before)


def copies(session: Session) -> int:
    """Count the emails that Resend accepted more than once: every further id for one of ours.

    The id of a failed try that an operator repeated counts only if it was delivered after all.
    """
    kinds: dict[tuple[UUID | None, str | None], set[str]] = defaultdict(set)
    for email_id, resend_id, kind in session.execute(_REPORTS_OF_SEVERAL_IDS):
        kinds[email_id, resend_id].add(kind)
    counted = Counter(
        email_id for (email_id, _), seen in kinds.items() if State.PLANNED not in seen or "email.delivered" in seen
    )
    return sum(number - 1 for number in counted.values())


def _count(session: Session, count: Select[int], **values: object) -> int:
    ((number,),) = (row.values() for row in _question(count).ask(session.connection(), **values))
    return int(number)


@cache
def _question(count: Select[int]) -> Question:
    return Question(count)


def planned_from(session: Session, campaign: str, start: datetime) -> dict[tuple[str, int], int]:
    """Count a campaign's live emails planned for a time or later, by sequence and step."""
    rows = session.execute(_PLANNED_FROM, {"campaign": campaign, "start": start})
    return {(sequence, step): count for sequence, step, count in rows}
