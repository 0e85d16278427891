"""History: received emails for people to read, and forwarding them again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.receipt import iso
from funnel_app.flows.replies.settle import why_not_forwarded
from funnel_app.ledger import received_emails
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models.received_emails import Forward, Reading, ReceivedEmail
from funnel_app.rules.emails.received_emails import Proof, ReceivedKind

KINDS: Mapping[str, str] = {
    ReceivedKind.REPLY: "wrote back",
    ReceivedKind.MAYBE_AUTOMATIC: "wrote back, perhaps an automatic answer",
    ReceivedKind.AUTOMATIC: "an automatic answer",
    ReceivedKind.REPORT: "a delivery report",
    ReceivedKind.OWN: "our own mail",
}
FORWARDS: Mapping[str, str] = {
    Forward.NONE: "",
    Forward.DUE: "goes on to your mailbox",
    Forward.SENT: "went on to your mailbox",
    Forward.KEPT: "stays here",
    Forward.REFUSED: "was refused on its way to your mailbox",
    Forward.UNSURE: "may have gone on to your mailbox",
}


class NotForwardable(Exception):
    """An email cannot be forwarded; the message says why."""


def what_came(row: ReceivedEmail) -> str:
    """Return an incoming email in one line: kind, subject, and what it ended."""
    kind = KINDS.get(row.kind or "", "wrote; it was not read yet")
    doubt = "" if row.proof == Proof.REFERENCES or row.kind is None else " (nothing proves the sender)"
    ended = f"; it ended {', '.join(each['sequence'] for each in row.ended)}" if row.ended else ""
    return f"{kind}: {row.subject or 'no subject'}{doubt}{ended}"


def as_row(row: ReceivedEmail) -> dict[str, Any]:
    """Return an incoming email as plain data."""
    return {
        "id": str(row.id),
        "at": iso(row.received_at),
        "from": row.sender,
        "name": row.name,
        "subject": row.subject,
        "kind": row.kind,
        "proof": row.proof,
        "contact_id": str(row.contact_id) if row.contact_id else None,
        "answers": str(row.email_id) if row.email_id else None,
        "ended": row.ended,
        "attachments": row.attachments,
        "text": row.text,
        "read": row.reading != Reading.WAITING,
        "forward": str(row.forward),
        "forwarded_at": iso(row.forwarded_at) if row.forwarded_at and row.forward == Forward.SENT else None,
        "note": row.note,
    }


def list_received(
    reads: sessionmaker[Session], kind: str | None, limit: int, before: UUID | None = None
) -> list[dict[str, Any]]:
    """Return the newest incoming emails, of one kind or all, as plain data."""
    with reads() as session:
        return [as_row(row) for row in received_emails.newest(session, limit, before, kind)]


@retry_on_conflict
def forward_again(deps: Deps, received_id: UUID) -> str:
    """Forward a kept or refused email; return its contact. Raises NotForwardable."""
    if obstacle := why_not_forwarded(deps.settings):
        raise NotForwardable(f"{obstacle}: there is no mailbox to send it to.")
    with deps.sessions.begin() as session:
        row = received_emails.find(session, received_id, lock=True)
        if row is None or row.reading == Reading.WAITING:
            raise NotForwardable("There is no such email, or it was not read yet.")
        if row.forward in {Forward.DUE, Forward.SENT, Forward.UNSURE}:
            raise NotForwardable(f"It {FORWARDS[row.forward]} already; nothing goes twice.")
        row.forward, row.note, row.attempts = Forward.DUE, None, 0
        # With the old key nothing would be sent.
        row.forwards += 1
        row.next_try_at = row.lease_until = row.forward_tried_at = None
        return row.sender
