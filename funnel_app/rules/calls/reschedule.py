"""Reschedule: move a booking's reminders with it."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Event, Mode
from funnel_app.campaigns.plan_text import as_planned, step_of, zone_of
from funnel_app.campaigns.reasons import Reason
from funnel_app.campaigns.states import WAITING, State
from funnel_app.rules.calls.case import Case
from funnel_app.rules.facts import EmailFacts, EnrolmentFacts


def moved(case: Case, enrolment: EnrolmentFacts) -> EnrolmentFacts:
    """Return an enrolment with its reminders counted from the new start, if this is the latest message about it.

    Sent emails stay as they are. Safe to repeat, and in any order: an older message changes nothing.
    """
    before, new = enrolment.call_at, _newest_time(case)
    if case.happening.at < enrolment.started_at:
        return enrolment
    enrolment = replace(enrolment, happened_at=case.happening.at)
    if new is None or new == before or not enrolment.runs:
        return enrolment
    enrolment = replace(enrolment, call_at=new, variables={**enrolment.variables, **case.call.variables})
    if not case.campaign.sequences[enrolment.sequence].before_anchor:
        return enrolment
    enrolment = replace(enrolment, anchor_at=new.replace(microsecond=0))
    return replace(enrolment, emails=tuple(_moved(case, enrolment, email) for email in enrolment.emails))


def _newest_time(case: Case) -> datetime | None:
    booked = case.booking.call_at if case.booking and case.call.event is Event.BOOKING else None
    return booked or case.call.call_at


def _moved(case: Case, enrolment: EnrolmentFacts, email: EmailFacts) -> EmailFacts:
    if email.state == State.SENDING and email.request_id is None:
        email = email.moved(State.PLANNED, Reason("requeued: the call was moved"))
    if email.state not in WAITING:
        return email
    due_at = _due_at(case, enrolment, email)
    return replace(email, due_at=due_at, latest_at=enrolment.anchor_at)


def _due_at(case: Case, enrolment: EnrolmentFacts, email: EmailFacts) -> datetime:
    """Return when a reminder is due by the plan of its enrolment, whatever the file says now."""
    sequence, timing = case.campaign.sequences[enrolment.sequence], case.timing(enrolment.anchor_at)
    timing = replace(timing, mode=Mode(enrolment.mode))
    if enrolment.plan:
        zone = ZoneInfo(case.contact.timezone or zone_of(enrolment.plan))
        sequence, timing = as_planned(enrolment.plan, sequence), replace(timing, zone=zone)
    try:
        return timing.due_at(sequence, step_of(sequence, None, email.template_key, email.step))
    except LookupError:
        # A step that is in no plan keeps its distance to the booking.
        return email.due_at + (enrolment.anchor_at - (email.latest_at or enrolment.anchor_at))
