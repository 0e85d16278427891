"""Forward an email to the owner's mailbox, once, so that Reply there answers the lead."""

from datetime import timedelta
from uuid import UUID

import structlog
from email_validator import EmailNotValidError
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.addresses import checked
from funnel_app.flows.replies.ours import loop_mark
from funnel_app.flows.replies.settle import what_ended, why_not_forwarded
from funnel_app.flows.turn import turn
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import email_events, received_emails
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models.received_emails import Forward, ReceivedEmail

# Resend forgets a key after 24 hours; after that a repeat would send again.
KEY_HOLDS_FOR = timedelta(hours=23)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=30)
OUTCOMES = {
    AnswerKind.ACCEPTED: Forward.SENT,
    # The key was used with another payload: a setting changed between two tries.
    AnswerKind.CONFLICT: Forward.SENT,
    AnswerKind.INVALID: Forward.REFUSED,
}
SURELY_NOT_SENT = frozenset({AnswerKind.UNREACHABLE, AnswerKind.PAUSED, AnswerKind.RATE_LIMITED, AnswerKind.QUOTA})

log = structlog.get_logger()


def forward_received(deps: Deps, row: ReceivedEmail) -> bool:
    """Forward one email; False if it must be retried. Safe to repeat: its key never changes."""
    now = deps.now()
    if row.forward_tried_at is not None and now - row.forward_tried_at > KEY_HOLDS_FOR:
        return _settle(deps, row.id, Forward.UNSURE, "whether it went on is not known: look at Resend")
    if obstacle := why_not_forwarded(deps.settings):
        return _settle(deps, row.id, Forward.UNSURE if row.forward_tried_at else Forward.KEPT, obstacle)
    if pause := deps.pause.current():
        return _put_off(deps, row, f"all sending is paused: {pause.reason}", None)
    _note_try(deps, row.id)
    payload = payload_of(deps, row)
    with turn(deps, row.id):
        answer = deps.mailer.send([payload], f"reply-{row.id}-{row.forwards}")
    if outcome := OUTCOMES.get(answer.kind):
        return _settle(deps, row.id, outcome, answer.detail if outcome is Forward.REFUSED else None)
    return _put_off(deps, row, answer.detail or str(answer.kind), answer)


def payload_of(deps: Deps, row: ReceivedEmail) -> dict[str, object]:
    """Return the email to the owner, identical for the same row, as repeats must be byte for byte the same."""
    body: dict[str, object] = {
        "from": deps.settings.from_email,
        "to": [deps.settings.reply_forward_to],
        "subject": row.subject or "(no subject)",
        "text": _text(deps, row),
        # The first prevents automatic replies (RFC 3834), the second lets us recognise it.
        "headers": {"Auto-Submitted": "auto-generated", "X-Loop": loop_mark(deps.settings)},
        "tags": [{"name": "reply", "value": str(row.id)}],
    }
    return body | {"reply_to": row.sender} if _is_address(row.sender) else body


def _is_address(sender: str) -> bool:
    try:
        return checked(sender).local_part.isascii()
    except EmailNotValidError:
        return False


def _text(deps: Deps, row: ReceivedEmail) -> str:
    lines = [f"From: {f'{row.name} <{row.sender}>' if row.name else row.sender}"]
    if row.contact_id is not None:
        page = f"{deps.settings.public_url}/console/leads/{row.contact_id}"
        lines += [f"A lead of yours; {what_ended(deps.registry, row)}.", page]
    else:
        lines += ["Not a lead: nobody with this address is known."]
    if row.attachments:
        lines += [f"Attached, and to be read at Resend: {', '.join(row.attachments)}"]
    said = row.text if row.text is not None else "(Its text could not be fetched: read it at Resend.)"
    return "\n".join([*lines, "", "-" * 40, "", said])


def _note_try(deps: Deps, received_id: UUID) -> None:
    """Record the first try before it is made: after a crash it must not be sent again a day later."""
    with deps.sessions.begin() as session:
        row = received_emails.find(session, received_id, lock=True)
        if row is not None and row.forward == Forward.DUE:
            row.forward_tried_at = row.forward_tried_at or deps.now()


@retry_on_conflict
def refuse_forwarded(sessions: sessionmaker[Session], received_id: UUID, why: str, event_id: str) -> None:
    """Record that a forwarded email did not arrive, as Resend reports, before the event itself is recorded.

    Safe to repeat: an event that is recorded already says nothing of what was forwarded again since.
    """
    with sessions.begin() as session:
        row = received_emails.find(session, received_id, lock=True)
        if row is not None and row.forward != Forward.NONE and not email_events.is_known(session, event_id):
            row.forward, row.note = Forward.REFUSED, f"your mailbox did not take it: {why}"


@retry_on_conflict
def _settle(deps: Deps, received_id: UUID, outcome: Forward, note: str | None) -> bool:
    with deps.sessions.begin() as session:
        row = received_emails.find(session, received_id, lock=True)
        if row is not None and row.forward == Forward.DUE:
            row.forward, row.note = outcome, note or row.note
            row.forwarded_at = deps.now() if outcome is Forward.SENT else None
            row.lease_until = row.next_try_at = None
    log.info("reply_forwarded", reply=str(received_id), outcome=str(outcome))
    return True


@retry_on_conflict
def _put_off(deps: Deps, row: ReceivedEmail, why: str, answer: Answer | None) -> bool:
    pause = min(FIRST_PAUSE * (1 << min(row.attempts, 10)), LONGEST_PAUSE)
    asked = timedelta(seconds=answer.retry_after) if answer and answer.retry_after else pause
    with deps.sessions.begin() as session:
        found = received_emails.find(session, row.id, lock=True)
        if found is not None and found.forward == Forward.DUE:
            # Certainly nothing went out, so the key's 24 hours have not begun.
            if answer is not None and row.forward_tried_at is None and answer.kind in SURELY_NOT_SENT:
                found.forward_tried_at = None
            received_emails.postpone(session, row.id, deps.now() + max(pause, asked), f"it waits to go on: {why}")
    return False
