"""Freeze: store emails exactly as they go, and the request that carries them, in one transaction before the call."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.sending.eligibility import forbidden_to, stop_unwanted, why_not
from funnel_app.flows.sending.lease import LEASE
from funnel_app.flows.sending.submit import Begun, is_of_today
from funnel_app.flows.templates.compose import Composed
from funnel_app.ledger import batches, contacts, emails, messages, pauses, requests
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, EnrolmentState
from funnel_app.ledger.models.types import compressed
from funnel_app.ledger.pauses import Pause

LATE_AFTER = timedelta(seconds=60)


@retry_on_conflict
def freeze(deps: Deps, composed: Mapping[UUID, Composed], token: UUID) -> Begun | None:
    """Store the letters that are still wanted and record that their call starts now; None if none is wanted."""
    bodies = {id_: _bodies(each) for id_, each in composed.items()}
    with deps.sessions.begin() as session:
        # Takes the turn: the lease of the call, and the day of its letters, count from when it is made.
        session.connection()
        contacts.lock_of_emails(session, composed)
        now = deps.now()
        wanted = _still_wanted(deps, session, composed, token, now)
        if not wanted:
            return None
        key, ids = idempotency_key(wanted), [email.id for email in wanted]
        request = requests.add(session, key, ids, now, token, LEASE)
        batches.carry(session, ids, request.id)
        messages.add_all(
            session, [_message(email, composed[email.id], request.id, now) | bodies[email.id] for email in wanted]
        )
        _move_later_steps(session, wanted, now)
        return Begun(request.id, key, [composed[email.id].letter for email in wanted])


def _still_wanted(
    deps: Deps, session: Session, composed: Mapping[UUID, Composed], token: UUID, now: datetime
) -> list[Email]:
    """Return the emails that still go; those of which something changed since the claim are read and judged again."""
    addresses = batches.undisturbed(session, composed, token, now)
    fresh = [each.email for each in composed.values() if is_of_today(deps.registry, each.email, each.made_at, now)]
    known = [email for email in fresh if _is_to(email, addresses.get(email.id))]
    forbidden = forbidden_to(deps.settings, session, known)
    wanted = [email for email in known if why_not(deps, session, email, now, forbidden) is None]
    others = composed.keys() - {email.id for email in wanted}
    again = _judged_again(deps, session, others, token, now)
    of_today = [
        each for each in again if not _waited_over_midnight(deps.registry, session, each, composed[each.id], now)
    ]
    return sorted([*wanted, *of_today], key=attrgetter("id"))


def _is_to(email: Email, address: str | None) -> bool:
    return email.enrolment.contact.email_norm == address


def _judged_again(deps: Deps, session: Session, ids: Collection[UUID], token: UUID, now: datetime) -> list[Email]:
    if not ids:
        return []
    batch = batches.mine(session, ids, token)
    forbidden, paused = forbidden_to(deps.settings, session, batch), pauses.standing(session, now)
    free = [email for email in batch if not _released(session, email, paused, now)]
    return [email for email in free if not stop_unwanted(deps, session, email, now, forbidden)]


def _waited_over_midnight(registry: Registry, session: Session, email: Email, letter: Composed, now: datetime) -> bool:
    """Release an email whose letter may say "tomorrow" of what is today by now; say whether it was one."""
    if is_of_today(registry, email, letter.made_at, now):
        return False
    emails.move(session, email, State.PLANNED, now, "requeued: another day has begun since its letter was made")
    return True


def _released(session: Session, email: Email, paused: Sequence[Pause], now: datetime) -> bool:
    """Release an email whose sequence ended or was paused meanwhile; say whether it was one."""
    stands = "paused" if pauses.covering(paused, email.enrolment) else email.enrolment.state
    if stands == EnrolmentState.ACTIVE:
        return False
    emails.move(session, email, State.PLANNED, now, f"requeued: its sequence is {stands}")
    return True


def idempotency_key(batch: Sequence[Email]) -> str:
    """Return the key under which Resend knows this submission: the same for every repeat, never random."""
    keys = [f"email-{email.id}-{_freeze(email)}" for email in batch]
    return keys[0] if len(keys) == 1 else f"batch-{sha256(' '.join(keys).encode()).hexdigest()}"


def _freeze(email: Email) -> int:
    """Return the number of the freeze that an email is in, counted from 1."""
    return email.freezes + 1


def _bodies(composed: Composed) -> dict[str, bytes]:
    """Return a letter's bodies as they are kept, made while others may still write."""
    return {"html": compressed(composed.letter.html), "text": compressed(composed.letter.text)}


def _message(email: Email, composed: Composed, request_id: UUID, now: datetime) -> dict[str, Any]:
    letter = composed.letter
    return {
        "email_id": email.id,
        "request_id": request_id,
        "template_version_id": composed.version_id,
        "freeze": _freeze(email),
        "sender": letter.sender,
        "recipient": letter.to,
        "reply_to": letter.reply_to,
        "subject": letter.subject,
        "headers": dict(letter.headers),
        "tags": dict(letter.tags),
        "created_at": now,
    }


def _move_later_steps(session: Session, batch: Sequence[Email], now: datetime) -> None:
    # A late email moves the steps after it, so that a lead never gets several at once.
    late = {email.enrolment_id: (email.step, _lateness(email, now)) for email in batch if _moves_others(email, now)}
    if late:
        batches.move_later_steps(session, late)


def _moves_others(email: Email, now: datetime) -> bool:
    # An email frozen again after its batch was refused has moved them already.
    return _freeze(email) == 1 and email.latest_at is None and _lateness(email, now) > LATE_AFTER


def _lateness(email: Email, now: datetime) -> timedelta:
    return timedelta(seconds=(now - email.due_at).total_seconds() // 1)
