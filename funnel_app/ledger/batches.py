"""Batches: statements for many emails at once; one by one they would dominate the cost of sending."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State, check
from funnel_app.ledger.database.after_commit import log_after_commit
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.emails import claimable, load
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import one_of, unindexed
from funnel_app.ledger.models.types import UtcTime, new_id
from funnel_app.ledger.pauses import is_paused
from funnel_app.ledger.reading import EMAILS, ENROLMENTS
from funnel_app.ledger.writing import EVENTS, INSERTS, UPDATES


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who claims emails, when and until when, of which modes, and how many at most."""

    token: UUID
    now: datetime
    until: datetime
    modes: Collection[str]
    most: int


def waiting(session: Session, ids: Collection[UUID]) -> list[tuple[UUID, str, str]]:
    """Return the planned ones of these emails, each with its campaign and template key."""
    found = _waiting().ask(session.connection(), ids=ids)
    return [(row["id"], row["campaign"], row["template_key"]) for row in found]


@cache
def _waiting() -> Question:
    wanted = select(Email.id, Enrolment.campaign, Email.template_key).join(Enrolment)
    return Question(wanted.where(one_of(Email.id, "ids"), unindexed(Email.state) == State.PLANNED))


def claim(session: Session, ids: Sequence[UUID], by: Claim) -> list[Email]:
    """Claim the first of these emails that are planned, due and wanted, under a lease; return those won.

    Of several callers exactly one wins an email: the others wait for the contacts' locks, or for SQLite's single
    writer.
    """
    # Concurrent claims of many emails would lock them in different orders, and deadlock.
    connection = session.connection()
    free = {row["id"] for row in _free().ask(connection, ids=ids, now=by.now, modes=by.modes)}
    chosen = [id_ for id_ in ids if id_ in free][: by.most]
    if not chosen:
        return []
    lease = {"now": by.now, "token": by.token, "until": by.until}
    won = list(connection.scalars(_TAKEN, {"ids": chosen, **lease}))
    _note(session, dict.fromkeys(won), State.SENDING, by.now)
    return load(session, won)


_TAKEN = (
    update(EMAILS)
    .where(one_of(EMAILS.c.id, "ids"), unindexed(EMAILS.c.state) == State.PLANNED)
    .values(state=State.SENDING, reason=None, reason_code=None, attempts=EMAILS.c.attempts + 1)
    .values(sending_at=bindparam("now"), lease_token=bindparam("token"), lease_until=bindparam("until"))
    .returning(EMAILS.c.id)
)


@cache
def _free() -> Question:
    wanted = select(Email.id).where(one_of(Email.id, "ids"), claimable())
    return Question(wanted.order_by(Email.id).with_for_update(skip_locked=True))


def mine(session: Session, ids: Collection[UUID], token: UUID | None) -> list[Email]:
    """Return the emails that this claim still holds and that are in no request yet."""
    return [
        email
        for email in load(session, ids)
        if email.state == State.SENDING and email.lease_token == token and email.request_id is None
    ]


def undisturbed(session: Session, ids: Collection[UUID], token: UUID, now: datetime) -> dict[UUID, str]:
    """Return those of `mine` whose sequence is running and not paused, each with the recipient's address."""
    found = _undisturbed().ask(session.connection(), ids=ids, token=token, now=now)
    return {row["id"]: row["email_norm"] for row in found}


@cache
def _undisturbed() -> Question:
    wanted = select(Email.id, Contact.email_norm).join(Email.enrolment).join(Enrolment.contact)
    held = Email.state == State.SENDING, Email.lease_token == bindparam("token"), Email.request_id.is_(None)
    runs = unindexed(Enrolment.state) == EnrolmentState.ACTIVE, ~is_paused(Enrolment, bindparam("now", type_=UtcTime))
    return Question(wanted.where(one_of(Email.id, "ids"), *held, *runs))


def renew(session: Session, ids: Collection[UUID], token: UUID, until: datetime) -> int:
    """Extend the lease of the emails that this claim still holds; return how many there are."""
    held = update(Email).where(Email.id.in_(list(ids)), Email.lease_token == token, Email.state == State.SENDING)
    return len(list(session.scalars(held.values(lease_until=until).returning(Email.id))))


def carry(session: Session, ids: Sequence[UUID], request_id: UUID) -> None:
    """Record that a request carries these emails, each frozen once more for it."""
    session.execute(_CARRIED, {"ids": list(ids), "request": request_id})


_CARRIED = (
    update(EMAILS)
    .where(one_of(EMAILS.c.id, "ids"))
    .values(request_id=bindparam("request"), freezes=EMAILS.c.freezes + 1)
)


def unheard(session: Session, request_id: UUID) -> set[UUID]:
    """Return the emails of a request that wait for its answer and have no event yet."""
    return {row["id"] for row in _unheard().ask(session.connection(), request=request_id)}


@cache
def _unheard() -> Question:
    wanted = select(Email.id).where(Email.request_id == bindparam("request"), Email.state == State.SENDING)
    return Question(wanted.where(Email.resend_id.is_(None)))


def mark_sent(session: Session, taken: Mapping[UUID, str | None], now: datetime) -> None:
    """Move emails returned by `unheard` in this transaction to `sent` with Resend's id, as `move` does for one."""
    if not taken:
        return
    check(State.SENDING, State.SENT)
    sent = {"state": State.SENT, "sent_at": now, "reason": None, "reason_code": None}
    rows = [{"id": email_id, "resend_id": resend_id, **sent} for email_id, resend_id in taken.items()]
    UPDATES[EMAILS].by_id(session.connection(), rows)
    session.execute(_STALE, {"ids": list(taken), "now": now})
    _note(session, taken, State.SENT, now)


# By the table: an update of a model is worded again at each call, and what the session holds stays as it is.
_STALE = (
    update(ENROLMENTS)
    .where(ENROLMENTS.c.id.in_(select(EMAILS.c.enrolment_id).where(one_of(EMAILS.c.id, "ids"))))
    .values(mirror_stale_since=bindparam("now"))
)


def move_later_steps(session: Session, late: Mapping[UUID, tuple[int, timedelta]]) -> None:
    """Move the planned steps after a late one by its lateness; `late` is by enrolment."""
    wanted = select(Email.id, Email.enrolment_id, Email.step, Email.due_at).where(
        Email.enrolment_id.in_(list(late)), unindexed(Email.state) == State.PLANNED
    )
    later = [
        {"id": id_, "due_at": due_at + late[enrolment_id][1]}
        for id_, enrolment_id, step, due_at in session.execute(wanted)
        if step > late[enrolment_id][0]
    ]
    if later:
        session.execute(update(Email), later)


def _note(session: Session, moved: Mapping[UUID, str | None], state: State, now: datetime) -> None:
    """Write the timeline rows, and keep one line for the log."""
    if not moved:
        return
    rows = [
        {"id": new_id(), "email_id": id_, "kind": state, "at": now, "recorded_at": now, "resend_id": resend_id}
        for id_, resend_id in moved.items()
    ]
    INSERTS[EVENTS].into(session.connection(), rows)
    log_after_commit(session, "emails_moved", emails=[str(id_) for id_ in moved], state=str(state))
