"""Frequency limit: delay an email whose recipient has reached the campaign's limit of marketing emails.

Checked only in the claim: a claimed email keeps its place until it went or is released. The claim locks the person, so
the second of two workers sees what the first one took.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import AtMost, Kind, Mode
from funnel_app.campaigns.plan_text import step_of
from funnel_app.campaigns.registry import Registry, UnknownCampaign
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import days_later, into_window
from funnel_app.deps import Deps
from funnel_app.flows.sending.eligibility import in_files
from funnel_app.ledger import batches, emails, frequency
from funnel_app.ledger.models import Email
from funnel_app.rules.emails.frequency import GivesWay, Wanting, gives_way, in_words
from funnel_app.rules.sequences.plan import too_late


def without_giving_way(deps: Deps, session: Session, claimed: Sequence[Email], now: datetime) -> list[Email]:
    """Return the emails of a claim that go now; delay the others and their later steps, or skip them if too late.

    All must belong to campaigns in the files.
    """
    limited = sorted(
        (e for e in claimed if _limit_of(deps.registry, e)), key=lambda email: _wanting(deps.registry, email).place
    )
    # Emails of the claim that are still to be checked give way to this one.
    undecided = {email.id for email in limited}
    waits = set()
    for email in limited:
        if _gives_way(deps, session, email, now, undecided):
            waits.add(email.id)
        undecided.discard(email.id)
    return [email for email in claimed if email.id not in waits]


def _limit_of(registry: Registry, email: Email) -> AtMost | None:
    # Not limited: what an operator asked for, tests (days are minutes) and canaries.
    enrolment = email.enrolment
    limited = enrolment.kind == Kind.MARKETING and enrolment.mode == Mode.LIVE and email.asked_for_at is None
    return in_files(registry, email)[0].at_most if limited else None


def _gives_way(deps: Deps, session: Session, email: Email, now: datetime, undecided: Collection[UUID]) -> bool:
    limit, (_, sequence) = _limit_of(deps.registry, email), in_files(deps.registry, email)
    waits = _asked(deps, session, email, limit, now, undecided) if limit else None
    if limit is None or waits is None:
        return False
    until, why = _until(deps.registry, email, waits), in_words(limit, deps.registry.title_of_email(waits.template_key))
    if late := too_late(email, sequence.max_lateness, until):
        emails.move(session, email, State.SKIPPED, now, f"{why}; {late}")
    else:
        _move_on(session, email, until, why, now)
    return True


def _asked(
    deps: Deps, session: Session, email: Email, limit: AtMost, now: datetime, undecided: Collection[UUID]
) -> GivesWay | None:
    contact_id = email.enrolment.contact_id
    went = frequency.went_to(session, contact_id, now, undecided)
    waiting = frequency.waiting_for(session, contact_id, now + limit.span, deps.sendable_modes)
    return gives_way(
        _wanting(deps.registry, email), limit, went, [_wanting(deps.registry, each) for each in waiting], now
    )


def _wanting(registry: Registry, email: Email) -> Wanting:
    return Wanting(
        id=email.id,
        template_key=email.template_key,
        priority=_priority(registry, email),
        wanted_at=email.was_due_at or email.due_at,
        due_at=email.due_at,
    )


def _priority(registry: Registry, email: Email) -> int:
    try:
        return registry.sequence(email.enrolment.campaign, email.enrolment.sequence).priority
    except UnknownCampaign:
        return 0


def _until(registry: Registry, email: Email, waits: GivesWay) -> datetime:
    """Return when an email is due again, at its time of day if it counts in whole days, and within its window."""
    campaign, sequence = in_files(registry, email)
    zone = ZoneInfo(email.enrolment.contact.timezone or campaign.timezone)
    until = waits.until
    step = step_of(sequence, email.enrolment.plan, email.template_key, email.step)
    if waits.is_full and step.in_days:
        until = _same_time_of_day(email.was_due_at or email.due_at, until, zone)
    return into_window(until, sequence.window, zone) if sequence.window else until


def _same_time_of_day(at: datetime, until: datetime, zone: ZoneInfo) -> datetime:
    days = max((until - at).days, 0)
    return next(moved for number in count(days) if (moved := days_later(at, number, zone)) >= until)


def _move_on(session: Session, email: Email, until: datetime, why: str, now: datetime) -> None:
    by = until - email.due_at
    email.was_due_at, email.due_at, email.next_attempt_at = email.was_due_at or email.due_at, until, None
    emails.move(session, email, State.PLANNED, now, why)
    if email.latest_at is None and by > timedelta(0):
        batches.move_later_steps(session, {email.enrolment_id: (email.step, by)})
