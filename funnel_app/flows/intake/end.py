"""End running enrolments: cancel the emails that are not yet submitted, with the reason."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.ledger import emails, enrolments
from funnel_app.ledger.models import Enrolment, EnrolmentState
from funnel_app.rules.sequences.exit import can_be_stopped


def end_all(
    session: Session, ending: Iterable[Enrolment], reason: str, now: datetime, event: Event | None = None
) -> int:
    """End these running enrolments of a locked contact for one reason; return how many there were.

    `event` is the campaign's event behind it, for events that no hook reports.
    """
    ended = list(ending)
    for enrolment in ended:
        enrolment.exit_event = event
        enrolments.end(session, enrolment, EnrolmentState.EXITED, reason, now)
        enrolment.mirror_stale_since = now
        for email in filter(can_be_stopped, enrolment.emails):
            emails.move(session, email, State.CANCELLED, now, reason)
    return len(ended)
