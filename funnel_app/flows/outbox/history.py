"""History: list events sent to receivers, send them again, and delete old ones."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from funnel_app.deps import Deps
from funnel_app.flows.outbox.publish import GIVES_UP_AFTER
from funnel_app.flows.outbox.receiver_status import REMOVED, hosts_by_key
from funnel_app.flows.receipt import iso
from funnel_app.ledger import contacts, outgoing_events, receivers
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models.outbox import OutgoingEvent

KEPT_FOR = timedelta(days=30)


def list_events(deps: Deps, state: str | None, limit: int, before: UUID | None = None) -> list[dict[str, Any]]:
    """Return the newest outgoing events, of one standing or of all, as plain data."""
    with deps.reads() as session:
        found = outgoing_events.newest(session, state, limit, before)
        people = contacts.by_ids(session, {event.contact_id for event in found})
    hosts = hosts_by_key(deps.settings)
    return [_row(event, people[event.contact_id].email, hosts.get(event.receiver, REMOVED)) for event in found]


def _row(event: OutgoingEvent, address: str, host: str) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "event_id": str(event.event_id),
        "type": event.kind,
        "at": iso(event.at),
        "lead": address,
        "about": dict(event.facts),
        "receiver": host,
        "state": str(event.state),
        "attempts": event.attempts,
        "next_try_at": iso(event.next_try_at) if event.next_try_at else None,
        "settled_at": iso(event.settled_at) if event.settled_at else None,
        "error": event.last_error,
    }


def publish_again(deps: Deps, ids: Collection[UUID]) -> int:
    """Send these settled events again, under the same ids; return how many."""
    return _publish_again(deps, outgoing_events.is_one_of(ids))


def publish_given_up(deps: Deps) -> int:
    """Send every given-up event again; return how many."""
    return _publish_again(deps, outgoing_events.was_given_up())


def publish_since(deps: Deps, since: datetime) -> int:
    """Send all events since a time again, as for a receiver that lost them; return how many."""
    return _publish_again(deps, outgoing_events.happened_since(since))


@retry_on_conflict
def _publish_again(deps: Deps, wanted: ColumnElement[bool]) -> int:
    with deps.sessions.begin() as session:
        # Whoever asks has presumably fixed the receiver.
        receivers.wake(session, hosts_by_key(deps.settings))
        return outgoing_events.offer_again(session, wanted, deps.now())


def forget_published(deps: Deps) -> int:
    """Delete events settled a month ago, and give up those of removed receivers; return how many.

    Safe to repeat.
    """
    now, keys = deps.now(), hosts_by_key(deps.settings)
    with deps.sessions.begin() as session:
        receivers.forget_others(session, keys)
        given_up = outgoing_events.give_up_of_others(session, keys, now - GIVES_UP_AFTER, now)
        return given_up + outgoing_events.delete_settled_before(session, now - KEPT_FOR)
