"""Email events: the timeline, as a query."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel_app.ledger.models import EmailEvent
from funnel_app.ledger.once import insert_once


def add_report(
    session: Session,
    provider_event_id: str,
    *,
    email_id: UUID | None,
    resend_id: str | None,
    kind: str,
    at: datetime,
    now: datetime,
    detail: str | None,
) -> bool:
    """Keep a report of the provider; False where this very report is already kept."""
    row = {
        "provider_event_id": provider_event_id,
        "email_id": email_id,
        "resend_id": resend_id,
        "kind": kind,
        "at": at,
        "recorded_at": now,
        "detail": detail,
    }
    return insert_once(session, EmailEvent, row, ["provider_event_id"])


def of_emails(session: Session, email_ids: Collection[UUID]) -> dict[UUID, list[EmailEvent]]:
    """Return each email's events in time order."""
    wanted = select(EmailEvent).where(EmailEvent.email_id.in_(list(email_ids))).order_by(EmailEvent.at, EmailEvent.id)
    timeline: dict[UUID, list[EmailEvent]] = {email_id: [] for email_id in email_ids}
    for event in session.scalars(wanted):
        if event.email_id is not None:
            timeline[event.email_id].append(event)
    return timeline


def add_by_hand(session: Session, email_id: UUID, detail: str, now: datetime) -> None:
    """Keep what a person did to an email without moving it to another state."""
    session.add(EmailEvent(email_id=email_id, kind="by hand", at=now, recorded_at=now, detail=detail))
