"""Add steps: give running enrolments the emails that their own plan has and they lack."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Campaign, Mode, Sequence
from funnel_app.campaigns.plan_text import plan_of
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.ledger import contacts, enrolments, planning
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Enrolment
from funnel_app.ledger.queries import counts
from funnel_app.rules.facts import EmailFacts
from funnel_app.rules.sequences.plan import FirstEmail, Timing, plan_emails

AT_A_TIME = 200


def plan_missing(deps: Deps) -> int:
    """Plan every step that running enrolments lack by their own plan; return how many. Safe to repeat."""
    return sum(_fill_all(deps, campaign, sequence) for campaign, sequence in _incomplete(deps))


def _incomplete(deps: Deps) -> list[tuple[Campaign, Sequence]]:
    """Return the sequences of which an enrolment lacks a step: mostly none, which one look at the ledger says."""
    every = [(campaign, each) for campaign in deps.registry.campaigns.values() for each in campaign.sequences.values()]
    with deps.reads() as session:
        return [(of, each) for of, each in every if _lacking(session, of, each)]


def _lacking(session: Session, campaign: Campaign, sequence: Sequence) -> int:
    """Count the running enrolments of a sequence that lack a step by their own plan."""
    plan = plan_of(campaign, sequence)
    return counts.incomplete(session, campaign.name, sequence.name, len(sequence.steps), plan)


@retry_on_conflict
def _fill_all(deps: Deps, campaign: Campaign, sequence: Sequence) -> int:
    plan = plan_of(campaign, sequence)
    last = {"campaign": campaign.name, "sequence": sequence.name, "step": len(sequence.steps), "plan": plan}
    with deps.reads() as session:
        who = enrolments.who_lack(session, last, AT_A_TIME)
    if not who:
        return 0
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, who)
        found = enrolments.lacking(session, last, AT_A_TIME)
        return sum(_fill(deps.settings, session, campaign, sequence, enrolment, now) for enrolment in found)


def _fill(
    settings: Settings, session: Session, campaign: Campaign, sequence: Sequence, enrolment: Enrolment, now: datetime
) -> int:
    timing = Timing(
        campaign=campaign,
        deadline=enrolment.deadline,
        anchor_at=enrolment.anchor_at,
        mode=Mode(enrolment.mode),
        interval_seconds=settings.testing_interval_seconds,
        zone=ZoneInfo(enrolment.contact.timezone or campaign.timezone),
    )
    there = {email.step: email for email in enrolment.emails}
    whole = plan_emails(sequence, FirstEmail(), timing, now, enrolment.contact_id)
    # New steps are as late as the enrolment's other steps.
    late = max((there[e.step].due_at - e.due_at for e in whole if e.step in there), default=timedelta())
    missing = [_late_too(email, late) for email in whole if email.step not in there]
    planning.plan(session, enrolment, missing, now)
    enrolment.mirror_stale_since = now
    return len(missing)


def _late_too(email: EmailFacts, late: timedelta) -> EmailFacts:
    return email if email.latest_at else replace(email, due_at=email.due_at + max(late, timedelta()))
