"""Outbox: events written in the transaction in which they happened, a row for each receiver.

Nothing is written without receivers: the engine has their keys in its execution options.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from funnel_app.ledger.database.compiled import Insert, Write, carry_out
from funnel_app.ledger.models.outbox import OutgoingEvent
from funnel_app.ledger.models.types import new_id

LISTENERS = "funnel_receivers"
_INSERT = Insert(OutgoingEvent.metadata.tables[OutgoingEvent.__tablename__])


class Kind(StrEnum):
    """The kinds of events."""

    LEAD_ENROLLED = "lead.enrolled"
    EMAIL_DELIVERED = "email.delivered"
    EMAIL_BOUNCED = "email.bounced"
    EMAIL_COMPLAINED = "email.complained"
    SEQUENCE_ENDED = "sequence.ended"
    LEAD_UNSUBSCRIBED = "lead.unsubscribed"
    LEAD_RESUBSCRIBED = "lead.resubscribed"
    LEAD_REPLIED = "lead.replied"
    LEAD_ERASED = "lead.erased"


MEANINGS = {
    Kind.LEAD_ENROLLED: "a lead came into a sequence, by a hook or by hand",
    Kind.EMAIL_DELIVERED: "Resend reports that an email arrived",
    Kind.EMAIL_BOUNCED: "an email came back for good, with the `reason`; the lead's sequences end",
    Kind.EMAIL_COMPLAINED: "its reader marked an email as spam; the lead's sequences end",
    Kind.SEQUENCE_ENDED: "a sequence is over: `how` is `completed` or `exited`, then with the `event` and the `reason`",
    Kind.LEAD_UNSUBSCRIBED: "a lead is not to be mailed: `scope` is `marketing` or `all`, `by` is `lead` or `operator`",
    Kind.LEAD_RESUBSCRIBED: "what kept a lead from being mailed was lifted",
    Kind.LEAD_REPLIED: "a lead wrote back: `proof` is `references` (it answers an email of ours) or `address`, which "
    "anybody can forge, and `ended` are the sequences that it ended; its words are not told",
    Kind.LEAD_ERASED: "a lead was erased; only the `id` is told",
}


@dataclass(frozen=True)
class LeadEvent:
    """One thing that happened to a lead; `facts` hold no texts or addresses of the person."""

    kind: Kind
    contact_id: UUID
    at: datetime
    facts: Mapping[str, Any]


def has_listeners(connection: Connection) -> bool:
    """Say whether there are receivers."""
    return bool(connection.get_execution_options().get(LISTENERS))


def add(connection: Connection, events: Sequence[LeadEvent], now: datetime) -> None:
    """Store events for each receiver, in the given order."""
    carry_out(connection, prepared(connection, events, now))


def prepared(connection: Connection, events: Sequence[LeadEvent], now: datetime) -> list[Write]:
    """Return what `add` would write."""
    receivers = connection.get_execution_options().get(LISTENERS, ())
    rows = [row for each in events for row in _rows(each, receivers, now)]
    return _INSERT.prepared(connection.dialect, rows)


def _rows(event: LeadEvent, receivers: Iterable[str], now: datetime) -> list[dict[str, Any]]:
    row = {
        "event_id": new_id(),
        "contact_id": event.contact_id,
        "kind": event.kind,
        "at": event.at,
        "facts": dict(event.facts),
        "recorded_at": now,
    }
    return [{"id": new_id(), "receiver": receiver, **row} for receiver in receivers]
