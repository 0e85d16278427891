"""Lead events: facts for outside receivers; names and texts are added when they are sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.outbox import Kind, LeadEvent
from funnel_app.rules.emails.reports import ReportedEmail, ReportedEnrolment
from funnel_app.rules.facts import EmailFacts, EnrolmentFacts
from funnel_app.rules.states import EnrolmentState

TOLD_OF_EMAILS = {
    State.DELIVERED: Kind.EMAIL_DELIVERED,
    State.BOUNCED: Kind.EMAIL_BOUNCED,
    State.COMPLAINED: Kind.EMAIL_COMPLAINED,
}


# A row of the ledger, or the rules' equivalent.
AnEnrolment = Enrolment | EnrolmentFacts
AnEmail = Email | EmailFacts | ReportedEmail


def enrolled(enrolment: AnEnrolment, at: datetime) -> list[LeadEvent]:
    """Return the event that a lead was enrolled in a sequence."""
    return _of(Kind.LEAD_ENROLLED, enrolment, at)


def ended(enrolment: AnEnrolment, at: datetime) -> list[LeadEvent]:
    """Return the event that a sequence ended for a lead: completed, or by which event and why."""
    exited = enrolment.state == EnrolmentState.EXITED
    why = {"event": enrolment.exit_event, "reason": enrolment.exit_reason} if exited else {}
    return _of(Kind.SEQUENCE_ENDED, enrolment, at, how=str(enrolment.state), **why)


def moved(enrolment: AnEnrolment | ReportedEnrolment, email: AnEmail, state: State, at: datetime) -> list[LeadEvent]:
    """Return the event of an email's new state, if that state is reported."""
    if state not in TOLD_OF_EMAILS:
        return []
    facts = {"email_id": str(email.id), "step": email.step, "template": email.template_key}
    why = {"reason": email.reason} if state is not State.DELIVERED else {}
    return _of(TOLD_OF_EMAILS[state], enrolment, at, **facts, **why)


def unsubscribed(contact_id: UUID, scope: str, by: str, at: datetime) -> list[LeadEvent]:
    """Return the event that a lead gets no more marketing, or no more mail."""
    return [LeadEvent(Kind.LEAD_UNSUBSCRIBED, contact_id, at, {"scope": scope, "by": by})]


def resubscribed(contact_id: UUID, at: datetime) -> list[LeadEvent]:
    """Return the event that a lead's suppression was lifted."""
    return [LeadEvent(Kind.LEAD_RESUBSCRIBED, contact_id, at, {})]


def replied(contact_id: UUID, received_id: UUID, proof: str, facts: Mapping[str, Any], at: datetime) -> list[LeadEvent]:
    """Return the event that a lead replied: to what, and what it ended."""
    return [LeadEvent(Kind.LEAD_REPLIED, contact_id, at, {"reply_id": str(received_id), "proof": proof, **facts})]


def erased(contact_id: UUID, at: datetime) -> list[LeadEvent]:
    """Return the event that a lead was erased: receivers must erase them too (GDPR, article 19)."""
    return [LeadEvent(Kind.LEAD_ERASED, contact_id, at, {})]


def _of(kind: Kind, enrolment: AnEnrolment | ReportedEnrolment, at: datetime, **facts: Any) -> list[LeadEvent]:
    # Canaries are no leads.
    if enrolment.mode == Mode.CANARY:
        return []
    where = {
        "enrolment_id": str(enrolment.id),
        "campaign": enrolment.campaign,
        "sequence": enrolment.sequence,
        "mode": enrolment.mode,
    }
    return [LeadEvent(kind, enrolment.contact_id, at, where | facts)]
