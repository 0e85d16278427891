"""Move: a call that takes place at another time takes its reminders along."""

from dataclasses import replace

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import WAITING, State
from funnel_app.flows.intake.decide import Case
from funnel_app.ledger import emails, enrolments
from funnel_app.ledger.models import Email, Enrolment


def moved(case: Case, enrolment: Enrolment) -> bool:
    """Count a running enrolment's reminders from the call's new time, if this is the newest word of it.

    What has gone stays gone. Safe to repeat, and in any order: an older word changes nothing.
    """
    before, new = enrolment.call_at, case.call.call_at
    if case.happening.at < (enrolment.happened_at or enrolment.created_at):
        return False
    enrolment.happened_at = case.happening.at
    if new is None or new == before or enrolment.state not in enrolments.RUNNING:
        return False
    enrolment.call_at = new
    enrolment.variables = {**enrolment.variables, **case.call.variables}
    enrolment.mirror_stale_since = case.now
    sequence = case.campaign.sequences[enrolment.sequence]
    if sequence.before_anchor:
        enrolment.anchor_at = new.replace(microsecond=0)
        for email in enrolment.emails:
            _move_email(case, enrolment, email)
    return sequence.before_anchor


def _move_email(case: Case, enrolment: Enrolment, email: Email) -> None:
    if email.state == State.SENDING and email.request_id is None:
        emails.move(case.session, email, State.PLANNED, case.now, "given back: the call was moved")
    if email.state not in WAITING:
        return
    sequence = case.campaign.sequences[enrolment.sequence]
    timing = replace(case.timing(enrolment.anchor_at), mode=Mode(enrolment.mode))
    email.due_at = timing.due_at(sequence, sequence.step(email.step))
    email.latest_at = enrolment.anchor_at
