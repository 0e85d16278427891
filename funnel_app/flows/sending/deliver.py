"""Deliver: claim what is due, compose it, freeze it, hand it over; an exit that commits before the freeze wins.

Each step is a short transaction of its own, and neither rendering nor the network happens inside one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import into_window
from funnel_app.deps import Deps
from funnel_app.flows.sending.eligibility import NotInFiles, in_files, stop_unwanted
from funnel_app.flows.sending.sending_status import LEASE, may_send
from funnel_app.flows.sending.submit import submit
from funnel_app.flows.templates.compose import Composed, compose
from funnel_app.flows.templates.serving import NotReady
from funnel_app.ledger import contacts, emails, messages, requests
from funnel_app.ledger.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, EnrolmentState, Message
from funnel_app.ledger.types import new_id

LATE_AFTER = timedelta(seconds=60)
LOOK_AGAIN_AFTER = timedelta(seconds=15)


class Outcome(StrEnum):
    """What a call of deliver did."""

    PAUSED = "paused"
    NOTHING_TO_DO = "nothing to do"
    HANDED_OVER = "handed over"


def deliver(deps: Deps, email_ids: Sequence[UUID]) -> Outcome:
    """Send these emails as one request. Safe to repeat and to race: only the claimer sends, and only what is due."""
    if not may_send(deps):
        return Outcome.PAUSED
    token = new_id()
    composed = _compose_each(deps, _claim(deps, email_ids, token), token)
    request_id = _freeze(deps, composed, token) if composed else None
    if request_id is None:
        deps.pause.leave_probe()
        return Outcome.NOTHING_TO_DO
    submit(deps, request_id, token)
    return Outcome.HANDED_OVER


@retry_on_conflict
def _claim(deps: Deps, email_ids: Sequence[UUID], token: UUID) -> list[Email]:
    now = deps.now()
    with deps.sessions.begin() as session:
        # Contacts first, as every transaction does: a hook that holds one waits for its emails next.
        contacts.lock_of_emails(session, email_ids)
        won = emails.claim(session, email_ids, now, deps.sendable_modes, token, LEASE)
        return [email for email in won if _goes_on(deps, session, email, now)]


def _goes_on(deps: Deps, session: Session, email: Email, now: datetime) -> bool:
    try:
        return not stop_unwanted(deps, session, email, now) and not _wait_for_window(deps, session, email, now)
    except NotInFiles as fault:
        # One email of a campaign that was taken away must not keep the others of its batch.
        emails.move(session, email, State.HELD, now, str(fault))
        email.next_attempt_at = now + LOOK_AGAIN_AFTER
        return False


def _wait_for_window(deps: Deps, session: Session, email: Email, now: datetime) -> bool:
    enrolment = email.enrolment
    campaign, sequence = in_files(deps, email)
    window = sequence.window
    if window is None or enrolment.mode == Mode.TEST:
        return False
    opening = into_window(now, window, ZoneInfo(enrolment.contact.timezone or campaign.timezone))
    if opening > now:
        emails.move(session, email, State.PLANNED, now, "waits for the hours in which its sequence sends")
        email.next_attempt_at = opening
    return opening > now


def _compose_each(deps: Deps, claimed: Sequence[Email], token: UUID) -> dict[UUID, Composed]:
    composed, leased_until = {}, deps.now() + LEASE
    for email in claimed:
        if leased_until - deps.now() < LEASE / 2:
            leased_until = _renew(deps, claimed, token)
        try:
            composed[email.id] = compose(deps, email)
        except NotReady as fault:
            _hold(deps, email, str(fault))
    return composed


@retry_on_conflict
def _renew(deps: Deps, claimed: Sequence[Email], token: UUID) -> datetime:
    until = deps.now() + LEASE
    with deps.sessions.begin() as session:
        emails.renew(session, [email.id for email in claimed], token, until)
    return until


@retry_on_conflict
def _hold(deps: Deps, email: Email, reason: str) -> None:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, [email.enrolment.contact_id])
        for still_mine in emails.mine(session, [email.id], email.lease_token):
            emails.move(session, still_mine, State.HELD, now, reason)
            still_mine.next_attempt_at = now + LOOK_AGAIN_AFTER


@retry_on_conflict
def _freeze(deps: Deps, composed: dict[UUID, Composed], token: UUID) -> UUID | None:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, composed)
        wanted = [e for e in emails.mine(session, composed, token) if _still_wanted(deps, session, e, now)]
        if not wanted:
            return None
        for email in wanted:
            email.freezes += 1
        ids = [email.id for email in wanted]
        request = requests.add(session, idempotency_key(wanted), ids, now, token, LEASE)
        for email in wanted:
            email.request_id = request.id
            messages.add(session, _message(email, composed[email.id], request.id, now))
            _move_later_steps(session, email, now)
        return request.id


def _still_wanted(deps: Deps, session: Session, email: Email, now: datetime) -> bool:
    if email.enrolment.state != EnrolmentState.ACTIVE:
        emails.move(session, email, State.PLANNED, now, f"given back: its sequence is {email.enrolment.state}")
        return False
    return not stop_unwanted(deps, session, email, now)


def idempotency_key(batch: Sequence[Email]) -> str:
    """Return the key under which Resend knows this handing over: the same for every repeat, never random."""
    keys = [f"email-{email.id}-{email.freezes}" for email in batch]
    return keys[0] if len(keys) == 1 else f"batch-{sha256(' '.join(keys).encode()).hexdigest()}"


def _message(email: Email, composed: Composed, request_id: UUID, now: datetime) -> Message:
    letter = composed.letter
    return Message(
        email_id=email.id,
        request_id=request_id,
        template_version_id=composed.version_id,
        freeze=email.freezes,
        sender=letter.sender,
        recipient=letter.to,
        reply_to=letter.reply_to,
        subject=letter.subject,
        html=letter.html,
        text=letter.text,
        headers=dict(letter.headers),
        tags=dict(letter.tags),
        created_at=now,
    )


def _move_later_steps(session: Session, email: Email, now: datetime) -> None:
    # A lead must never get a pile at once: what goes late takes the steps behind it along.
    lateness = (now - email.due_at).total_seconds() // 1
    # An email that is frozen anew, since its batch was refused, has taken them along before.
    if email.freezes > 1 or email.latest_at is not None or lateness <= LATE_AFTER.total_seconds():
        return
    for later in emails.later_planned(session, email):
        later.due_at += timedelta(seconds=lateness)
