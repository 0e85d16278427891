"""Read: fetch an incoming email, match it to a lead, and process it, in one transaction.

A reply ends sequences only if it refers to the Message-ID of an email of ours, which only its reader has seen: anybody
can forge a sender's address (docs/decisions/0019-a-reply-proves-itself.md).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.replies.keep import contact_of
from funnel_app.flows.replies.ours import loop_mark, own_addresses
from funnel_app.flows.replies.settle import settle
from funnel_app.flows.turn import turn
from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.gateways.resend.answers import TOO_LARGE
from funnel_app.gateways.resend.inbox import GONE, IncomingEmail
from funnel_app.ledger import contacts, received_emails
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Contact, Email
from funnel_app.ledger.models.received_emails import Reading, ReceivedEmail
from funnel_app.letters.incoming_emails import text_of
from funnel_app.rules.emails.received_emails import Proof, bare_id, kind_of, references_of

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
# If Resend is away or the key may only send, the webhook's data is all there is.
UNREAD_AFTER = timedelta(days=3)
# The webhook may come before the email can be read: until then "not found" means not yet.
STORED_WITHIN = timedelta(minutes=5)
MOST_FROM_ONE, MOST_ASKED, CRASHED_AFTER = 60, 5, 3
HOUR = timedelta(hours=1)
NEVER_READ = frozenset({GONE, TOO_LARGE})
TOO_MANY = f"more than {MOST_FROM_ONE} came from this address within the hour: its text was not fetched"

log = structlog.get_logger()


@dataclass(frozen=True)
class Match:
    """An email's lead, the evidence for it, and the email it answers; all None if unknown."""

    contact: Contact | None = None
    proof: Proof | None = None
    email: Email | None = None


def read_received(deps: Deps, row: ReceivedEmail) -> bool:
    """Read and process one incoming email; False if Resend cannot be asked now. Safe to repeat."""
    with deps.reads() as session:
        flood = received_emails.count_from(session, row.sender, row.received_at - HOUR) > MOST_FROM_ONE
    if flood:
        return _conclude(deps, row.id, None, TOO_MANY)
    try:
        letter = _fetch(deps, row)
        _learn(deps, row, references_of(letter.headers))
    except GatewayError as error:
        return _put_off(deps, row, error)
    return _conclude(deps, row.id, letter, None)


def _fetch(deps: Deps, row: ReceivedEmail) -> IncomingEmail:
    with turn(deps, row.id):
        return deps.inbox.read(row.resend_id)


def _learn(deps: Deps, row: ReceivedEmail, references: Sequence[str]) -> None:
    """Fetch the Message-IDs of a lead's emails if a reply refers to one that no event reported."""
    with deps.reads() as session:
        if row.contact_id is None or not references or received_emails.answered(session, references):
            return
        unknown = received_emails.without_message_id(session, row.contact_id, MOST_ASKED)
    known: dict[UUID, str] = {}
    for email_id, resend_id in unknown.items():
        with suppress(Rejected), turn(deps, row.id):
            found = bare_id(deps.inbox.message_id(resend_id))
            known |= {email_id: found} if found else {}
    with deps.sessions.begin() as session:
        received_emails.learn_message_ids(session, known)


def _put_off(deps: Deps, row: ReceivedEmail, error: GatewayError) -> bool:
    now, age = deps.now(), deps.now() - row.received_at
    gone = isinstance(error, Rejected) and error.code in NEVER_READ and (error.code != GONE or age > STORED_WITHIN)
    if gone or age > UNREAD_AFTER:
        return _conclude(deps, row.id, None, f"Resend did not give out its text: {error.message}")
    until = now + min(FIRST_PAUSE * (1 << min(row.attempts, 10)), LONGEST_PAUSE)
    with deps.sessions.begin() as session:
        received_emails.postpone(session, row.id, until, f"its text cannot be fetched: {error.message}")
    log.warning("reply_not_read", reply=str(row.id), error=error.message)
    return False


@retry_on_conflict
def _conclude(deps: Deps, received_id: UUID, letter: IncomingEmail | None, note: str | None) -> bool:
    with deps.sessions.begin() as session:
        found = received_emails.find(session, received_id)
        match = _match(session, found, letter) if found else Match()
        if match.contact is not None:
            contacts.lock(session, [match.contact.id])
        row = received_emails.find(session, received_id, lock=True)
        # Erased or processed by another process meanwhile.
        if row is None or row.reading != Reading.WAITING:
            return True
        if match.contact is not None:
            session.refresh(match.contact)
            match = Match() if contacts.is_erased(match.contact) else match
        _write(deps.settings, row, match, letter, note)
        settle(deps, session, row, match.contact, match.email)
    log.info("reply_read", reply=str(received_id), kind=row.kind, proof=row.proof, ended=row.ended)
    return True


def _match(session: Session, row: ReceivedEmail, letter: IncomingEmail | None) -> Match:
    references = references_of(letter.headers) if letter else []
    if references and (found := received_emails.answered(session, references)):
        email, contact_id = found
        return Match(contacts.by_ids(session, [contact_id])[contact_id], Proof.REFERENCES, email)
    contact = contact_of(session, row.sender)
    return Match(contact, Proof.ADDRESS) if contact else Match()


def _write(
    settings: Settings, row: ReceivedEmail, match: Match, letter: IncomingEmail | None, note: str | None
) -> None:
    crashed = row.attempts > CRASHED_AFTER and row.note is None
    row.contact_id = match.contact.id if match.contact else None
    row.email_id = match.email.id if match.email else None
    row.proof = match.proof
    headers = letter.headers if letter else {}
    # An owner testing as a lead counts as a lead.
    own = set() if match.proof is Proof.REFERENCES else own_addresses(settings)
    row.kind = kind_of(headers, row.sender, row.subject, own, loop_mark(settings))
    # After three crashes its HTML is suspect.
    row.text = text_of(letter.text, None if crashed else letter.html) if letter else None
    row.reading = Reading.READ if letter else Reading.UNREAD
    row.note, row.attempts = note, 0
    row.lease_until = row.next_try_at = None
