"""Watching: queries of the watch and the doctor, each reading as little as possible."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Event, Mode
from funnel_app.campaigns.reasons import ReasonCode
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import of_canary
from funnel_app.ledger.email_events import came_by_itself
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent, Outcome
from funnel_app.ledger.models.base import written
from funnel_app.rules.calls.call import IMPORT

MANUAL = ("keyboard", IMPORT)
# Built once: the watch asks them many times a minute.
_SENT = select(EmailEvent.at).where(EmailEvent.kind == State.SENT).order_by(EmailEvent.id).limit(1)
_SENT_SINCE = _SENT.where(EmailEvent.id > bindparam("last"))
_LAST_REPORT = select(EmailEvent).where(came_by_itself()).order_by(EmailEvent.id.desc()).limit(1)
_A_REPORT = (
    select(EmailEvent.id)
    .where(came_by_itself(), EmailEvent.provider_event_id > "")
    .order_by(EmailEvent.provider_event_id.desc())
    .limit(1)
)
_NEWEST_EVENT_AT = select(EmailEvent.recorded_at).order_by(EmailEvent.id.desc()).limit(1)
_NEWEST_CALL_AT = select(func.max(HookEvent.received_at))
_OLDEST_CALL_AT = select(HookEvent.received_at).order_by(HookEvent.id).limit(1)
_HOOK_TIMES = (
    select(HookEvent.campaign, HookEvent.hook, HookEvent.received_at)
    .where(HookEvent.received_at >= bindparam("since"), HookEvent.mode == bindparam("mode"))
    .where(HookEvent.source.not_in(MANUAL))
    .order_by(HookEvent.received_at)
)


def newest_at(session: Session) -> datetime | None:
    """Return when the newest row was written; None for an empty ledger. Ids are time-ordered."""
    event = session.scalars(_NEWEST_EVENT_AT).one_or_none()
    hook = session.scalars(_NEWEST_CALL_AT).one_or_none()
    return max((at for at in (event, hook) if at is not None), default=None)


def oldest_call_at(session: Session) -> datetime | None:
    """Return when the oldest stored call arrived; None if there is none."""
    return session.scalars(_OLDEST_CALL_AT).one_or_none()


def last_report_at(session: Session) -> datetime | None:
    """Return when Resend's webhook last reported anything; None if it never did."""
    last = _last_report(session)
    return last.recorded_at if last else None


def unheard_since(session: Session) -> datetime | None:
    """Return when the first email was sent after the last webhook report; None if none was."""
    last = _last_report(session)
    if last is None:
        return session.scalars(_SENT).one_or_none()
    return session.scalars(_SENT_SINCE, {"last": last.id}).one_or_none()


def _last_report(session: Session) -> EmailEvent | None:
    # Without a single report, a search by time would read every event: the index of reports answers that first.
    return None if session.scalars(_A_REPORT).first() is None else session.scalars(_LAST_REPORT).one_or_none()


def skipped_as_tests(session: Session, since: datetime) -> int:
    """Count the emails skipped since a time because testing mode does not mail their recipients."""
    tests = select(func.count(Email.id)).where(
        Email.state == State.SKIPPED,
        Email.skipped_at >= since,
        Email.reason_code == ReasonCode.NO_TEST_RECIPIENT,
        ~of_canary(),
    )
    return session.scalar(tests) or 0


def first_emails_without_sender(session: Session, campaign: str, since: datetime) -> int:
    """Count the assessments since a time that did not say whether the website sent email 1."""
    said = HookEvent.payload["email_1_sent_at"].as_string().is_not(None)
    assessments = select(func.count(HookEvent.id)).where(
        HookEvent.campaign == campaign,
        HookEvent.event == Event.ASSESSMENT,
        HookEvent.outcome == Outcome.ACCEPTED,
        HookEvent.mode == Mode.LIVE,
        HookEvent.received_at >= since,
        ~said,
    )
    return session.scalar(assessments) or 0


def assessed_since(session: Session, since: datetime) -> list[tuple[str, Contact]]:
    """Return who was assessed since a time, with the campaign; without tests, canaries and lists."""
    assessments = select(HookEvent.campaign, Contact).join(Contact, Contact.id == HookEvent.contact_id)
    wanted = assessments.where(
        HookEvent.received_at >= since,
        HookEvent.event == Event.ASSESSMENT,
        HookEvent.outcome == Outcome.ACCEPTED,
        HookEvent.mode == Mode.LIVE,
        HookEvent.source != IMPORT,
    )
    return [(campaign, contact) for campaign, contact in session.execute(wanted)]


def clients_among(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return the leads among these who became clients."""
    onboarded = HookEvent.contact_id.in_(list(ids)), HookEvent.event == Event.ONBOARDING
    accepted = HookEvent.outcome == Outcome.ACCEPTED
    return {found for found in session.scalars(select(HookEvent.contact_id).where(*onboarded, accepted)) if found}


def hook_times(session: Session, since: datetime, mode: str) -> dict[str, list[datetime]]:
    """Return the times of each hook's calls since a time, oldest first, by campaign and hook."""
    times: dict[str, list[datetime]] = {}
    for campaign, hook, at in session.execute(_HOOK_TIMES, {"since": since, "mode": mode}):
        times.setdefault(f"{campaign}/{hook}", []).append(at)
    return times


def emails_by_state(session: Session) -> dict[tuple[str, ...], float]:
    """Count all emails by mode, sequence and state; canaries are not counted."""
    columns = (Enrolment.mode, Enrolment.sequence, Email.state)
    wanted = select(*columns, func.count(Email.id)).join(Enrolment).where(Enrolment.mode != Mode.CANARY)
    return {(mode, sequence, str(state)): n for mode, sequence, state, n in session.execute(wanted.group_by(*columns))}


def hooks_by_outcome(session: Session) -> dict[tuple[str, ...], float]:
    """Count all accepted, duplicate and ignored calls by mode, hook and outcome; canaries excluded."""
    columns = (HookEvent.mode, HookEvent.hook, HookEvent.outcome)
    counted = HookEvent.mode != Mode.CANARY, HookEvent.outcome != Outcome.REFUSED
    wanted = select(*columns, func.count(HookEvent.id)).where(*counted)
    return {(mode, hook, str(outcome)): n for mode, hook, outcome, n in session.execute(wanted.group_by(*columns))}


def hooks_refused(session: Session) -> dict[tuple[str, ...], float]:
    """Count the stored refused calls by mode and hook."""
    columns = (HookEvent.mode, HookEvent.hook)
    wanted = select(*columns, func.count(HookEvent.id)).where(written(HookEvent.outcome, Outcome.REFUSED))
    return {(mode, hook): n for mode, hook, n in session.execute(wanted.group_by(*columns))}


def hooks_corrected(session: Session) -> dict[tuple[str, ...], float]:
    """Count the calls by mode and hook in which a field was dropped or corrected."""
    columns = (HookEvent.mode, HookEvent.hook)
    counted = HookEvent.errors.is_not(None), HookEvent.outcome != Outcome.REFUSED, HookEvent.mode != Mode.CANARY
    wanted = select(*columns, func.count(HookEvent.id)).where(*counted)
    return {(mode, hook): n for mode, hook, n in session.execute(wanted.group_by(*columns))}


def lateness(session: Session, since: datetime, until: datetime) -> list[float]:
    """Return the delay of each sent email that was due in a span, in seconds; canaries excluded."""
    columns = (Email.due_at, Enrolment.created_at, Email.sent_at)
    counted = select(*columns).join(Enrolment).where(Enrolment.mode != Mode.CANARY)
    wanted = counted.where(Email.sent_at >= since, Email.due_at >= since, Email.due_at <= until)
    # Emails due before their hook arrived could not be on time: the website had sent email 1 earlier.
    spans = [sent_at - max(due_at, begun_at) for due_at, begun_at, sent_at in session.execute(wanted) if sent_at]
    return [max(span.total_seconds(), 0.0) for span in spans]
