"""Suppress an address on an operator's word; and lift the suppression.

Bounces and complaints suppress in `flows/sending/record_event.py`, a lead's own click in `unsubscribe.py`.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Kind
from funnel_app.campaigns.reasons import on_day
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up, required
from funnel_app.flows.intake.end import end_all
from funnel_app.ledger import contacts, enrolments, lead_events, outbox, suppressions
from funnel_app.ledger.database.conflicts import LostRace, retry_on_conflict
from funnel_app.ledger.models import Contact, Scope
from funnel_app.rules.calls.call import IMPORT

# Who suppressed the lead, in receivers' words.
BY = {suppressions.UNSUBSCRIBED: "lead", "keyboard": "operator", "console": "operator", IMPORT: "operator"}


@retry_on_conflict
def suppress(deps: Deps, address: str, scope: Scope) -> bool:
    """Stop this mail to an address, known or not, and end its sequences; False if already stopped.

    Raises NotAnAddress.
    """
    email_norm = required(address)
    reason = f"mail was stopped by a person {today(deps)}"
    with deps.sessions.begin() as session:
        return _forbid_address(deps, session, email_norm, scope, reason, "keyboard")


@retry_on_conflict
def suppress_each(deps: Deps, addresses: Iterable[tuple[str, Scope, str]], source: str) -> None:
    """Suppress these normalised addresses, each with its scope and reason, known or not.

    In one transaction. Safe to repeat: the first reason stays.
    """
    with deps.sessions.begin() as session:
        for email_norm, scope, reason in sorted(addresses):
            _forbid_address(deps, session, email_norm, scope, reason, source)


def _forbid_address(deps: Deps, session: Session, email_norm: str, scope: Scope, reason: str, source: str) -> bool:
    contact = contacts.find(session, email_norm)
    if contact is None:
        return _add(deps, session, email_norm, scope, reason, source)
    fresh = forbid(deps, session, contact, scope, reason, source)
    if contact.email_norm != email_norm and not contacts.is_erased(contact):
        raise LostRace("the lead was given another address meanwhile")
    return fresh


def release(deps: Deps, address: str) -> int:
    """Remove every suppression of an address; return how many. Ended sequences stay ended."""
    with deps.sessions.begin() as session:
        return lift(deps, session, looked_up(address))


def lift(deps: Deps, session: Session, email_norm: str) -> int:
    """Same as `release`, within this transaction."""
    now = deps.now()
    removed = suppressions.remove(session, email_norm, deps.settings.secret_key, now)
    if removed:
        publish_resubscribed(session, contacts.find(session, email_norm), now)
    return removed


def publish_resubscribed(session: Session, contact: Contact | None, now: datetime) -> None:
    """Store the event that a contact may be mailed again."""
    if contact is not None:
        outbox.add(session.connection(), lead_events.resubscribed(contact.id, now), now)


def forbid(deps: Deps, session: Session, contact: Contact, scope: Scope, reason: str, source: str) -> bool:
    """Suppress a contact's address and end its sequences of that scope; False if already suppressed, or erased."""
    contacts.lock(session, [contact.id])
    # While the lock was waited for, the person may have been erased: then their address is nowhere to be kept again.
    session.refresh(contact)
    if contacts.is_erased(contact):
        return False
    fresh = _add(deps, session, contact.email_norm, scope, reason, source)
    if fresh:
        told = lead_events.unsubscribed(contact.id, scope, BY.get(source, source), deps.now())
        outbox.add(session.connection(), told, deps.now())
    running = enrolments.running(session, contact.id)
    end_all(session, (e for e in running if scope == Scope.ALL or e.kind == Kind.MARKETING), reason, deps.now())
    return fresh


def today(deps: Deps) -> str:
    """Return today's date in the business's zone, as reasons name it: on 3 December."""
    return on_day(deps.now(), ZoneInfo(deps.settings.timezone))


def _add(deps: Deps, session: Session, email_norm: str, scope: Scope, reason: str, source: str) -> bool:
    pepper, now = deps.settings.secret_key, deps.now()
    return suppressions.add(session, email_norm, pepper, scope=scope, reason=reason, source=source, now=now)
