"""Models: the tables of the ledger."""

from funnel_app.ledger.models.base import Base, EnrolmentState, Outcome, RequestState, Scope
from funnel_app.ledger.models.emails import Email, EmailEvent, Message, Request
from funnel_app.ledger.models.leads import Contact, Enrolment, HookEvent
from funnel_app.ledger.models.shared import Suppression, TemplateVersion

__all__ = [
    "Base", "Contact", "Email", "EmailEvent", "Enrolment", "EnrolmentState", "HookEvent", "Message", "Outcome",
    "Request", "RequestState", "Scope", "Suppression", "TemplateVersion",
]  # fmt: skip
