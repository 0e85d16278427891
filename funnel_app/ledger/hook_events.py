"""Hook events: every authenticated call, with what became of it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from funnel_app.ledger.models import HookEvent, Outcome

HEARD = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.IGNORED)


def add(session: Session, event: HookEvent) -> HookEvent:
    """Keep a call."""
    session.add(event)
    session.flush()
    return event


def find_first(session: Session, contact_id: UUID, campaign: str, events: Collection[str]) -> HookEvent | None:
    """Return the earliest of these events that the contact had in the campaign; None if there was none."""
    wanted = (
        select(HookEvent)
        .where(
            HookEvent.contact_id == contact_id,
            HookEvent.campaign == campaign,
            HookEvent.event.in_(list(events)),
            HookEvent.outcome.in_(HEARD),
        )
        .order_by(HookEvent.received_at, HookEvent.id)
        .limit(1)
    )
    return session.scalars(wanted).one_or_none()


def find_accepted(session: Session, dedupe_key: str) -> HookEvent | None:
    """Return the accepted call with this key; None where it is new."""
    wanted = select(HookEvent).where(HookEvent.dedupe_key == dedupe_key, HookEvent.outcome == Outcome.ACCEPTED)
    return session.scalars(wanted).one_or_none()


def of_contact(session: Session, contact_id: UUID) -> list[HookEvent]:
    """Return a contact's calls, oldest first."""
    return list(
        session.scalars(
            select(HookEvent).where(HookEvent.contact_id == contact_id).order_by(HookEvent.received_at, HookEvent.id)
        )
    )


def count_accepted(session: Session, campaign: str, event: str, mode: str) -> int:
    """Count the accepted calls of one kind in a campaign; those of another mode do not count."""
    wanted = select(func.count()).where(
        HookEvent.campaign == campaign,
        HookEvent.event == event,
        HookEvent.outcome == Outcome.ACCEPTED,
        HookEvent.mode == mode,
    )
    return session.scalar(wanted) or 0


def refused_before(session: Session, before: datetime) -> list[HookEvent]:
    """Return refused calls that came before a time, oldest first."""
    wanted = select(HookEvent).where(HookEvent.outcome == Outcome.REFUSED, HookEvent.received_at < before)
    return list(session.scalars(wanted.order_by(HookEvent.received_at, HookEvent.id)))
