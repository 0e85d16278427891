"""Show an email: exactly what was sent, from which template version, and its events."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.ledger import email_events, emails, messages, template_versions
from funnel_app.ledger.models import Email, EmailEvent, Message, TemplateVersion


@dataclass(frozen=True)
class Shown:
    """One email; `message` is None before the freeze, and its bodies are None once removed."""

    email: Email
    message: Message | None
    version: TemplateVersion | None
    events: list[EmailEvent]


def show_email(reads: sessionmaker[Session], email_id: UUID) -> Shown | None:
    """Return an email with its enrolment and contact; None if the id is unknown."""
    with reads() as session:
        found = emails.load(session, [email_id])
        if not found:
            return None
        message = messages.latest_of(session, email_id)
        version_id = message.template_version_id if message else None
        return Shown(
            email=found[0],
            message=message,
            version=template_versions.get(session, version_id) if version_id else None,
            events=email_events.of_emails(session, [email_id])[email_id],
        )


def find_html(reads: sessionmaker[Session], email_id: UUID) -> str | None:
    """Return the HTML that an email was sent with; None if nothing was frozen, or it was removed."""
    with reads() as session:
        message = messages.latest_of(session, email_id)
    return message.html if message else None
