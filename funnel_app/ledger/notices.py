"""Notices: notifications for chats, each sent once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models.types import UtcTime
from funnel_app.ledger.models.watch import Notice

# The chats: alerts, and leads.
ALERTS, LEADS = "alerts", "leads"


def chat_of_leads(leads_url: str | None, alert_url: str | None) -> str | None:
    """Return the chat for leads: their own, else that of alerts; None if there is neither."""
    return LEADS if leads_url else ALERTS if alert_url else None


def add(session: Session, key: str, channel: str, text: str, now: datetime) -> bool:
    """Queue a notification; False if this key was ever used."""
    row = {"key": key, "channel": channel, "text": text, "created_at": now, "attempts": 0}
    return insert_or_ignore(session, Notice, row, ["key"])


def add_said(session: Session, key: str, channel: str, now: datetime) -> None:
    """Store a key that needs no notification."""
    if add(session, key, channel, "", now):
        session.execute(update(Notice).where(Notice.key == key).values(sent_at=now))


def any_beginning(session: Session, beginning: str) -> bool:
    """Say whether any key with this prefix was ever used."""
    wanted = select(Notice.id).where(Notice.key.startswith(beginning, autoescape=True))
    return session.scalars(wanted.limit(1)).first() is not None


def known(session: Session, keys: Collection[str]) -> set[str]:
    """Return the keys among these that were ever used."""
    return set(session.scalars(select(Notice.key).where(Notice.key.in_(list(keys)))))


def any_due(session: Session, channel: str, now: datetime) -> bool:
    """Say whether there is a notification to take."""
    return session.scalars(_ANY_DUE, {"channel": channel, "now": now}).first() is not None


def take(session: Session, channel: str, now: datetime, lease: timedelta, limit: int) -> list[Notice]:
    """Lease the notifications that are due, oldest first."""
    ids = list(session.scalars(_NEXT, {"channel": channel, "now": now, "most": limit}))
    won = (
        update(Notice)
        .where(Notice.id.in_(ids), *_due(now))
        .values(lease_until=now + lease, attempts=Notice.attempts + 1)
        .returning(Notice)
    )
    return sorted(session.scalars(won), key=lambda notice: (notice.created_at, notice.id))


def _due(now: datetime | ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    return Notice.sent_at.is_(None), or_(Notice.lease_until.is_(None), Notice.lease_until <= now)


# Worded once: each process asks them many times a minute.
_OF_CHAT = Notice.channel == bindparam("channel")
_DUE = _due(bindparam("now", type_=UtcTime))
_ANY_DUE = select(Notice.id).where(_OF_CHAT, *_DUE).limit(1)
_NEXT = select(Notice.id).where(_OF_CHAT, *_DUE).order_by(Notice.created_at, Notice.id).limit(bindparam("most"))
_POSTS = select(func.count(func.distinct(Notice.sent_at))).where(_OF_CHAT, Notice.sent_at >= bindparam("since"))
_FAILING = (
    select(Notice).where(_OF_CHAT, Notice.sent_at.is_(None), Notice.last_error.is_not(None)).order_by(Notice.created_at)
)


def mark_sent(session: Session, ids: Collection[UUID], now: datetime, *, forget: bool) -> None:
    """Mark these as sent; with `forget`, delete their text."""
    values = {"sent_at": now, "last_error": None, **({"text": ""} if forget else {})}
    session.execute(update(Notice).where(Notice.id.in_(list(ids))).values(**values))


def postpone(session: Session, notice_id: UUID, until: datetime, error: str, *, refused: bool) -> None:
    """Record a failure, whether the chat refused it, and when to retry."""
    values = {"lease_until": until, "last_error": error, "refused": refused}
    session.execute(update(Notice).where(Notice.id == notice_id).values(**values))


def renew(session: Session, ids: Collection[UUID], until: datetime, longer: datetime) -> set[UUID]:
    """Prolong the lease that holds these until a time to another; return those that it still held."""
    held = update(Notice).where(Notice.id.in_(list(ids)), Notice.sent_at.is_(None), Notice.lease_until == until)
    return set(session.scalars(held.values(lease_until=longer).returning(Notice.id)))


def put_back(session: Session, ids: Collection[UUID], until: datetime) -> None:
    """Return those of these that a lease until this time holds to the queue, as if they had not been taken."""
    free = update(Notice).where(Notice.id.in_(list(ids)), Notice.sent_at.is_(None), Notice.lease_until == until)
    session.execute(free.values(lease_until=None, attempts=Notice.attempts - 1))


def count_posts_since(session: Session, channel: str, since: datetime) -> int:
    """Count the posts since a time: notifications sent together are one."""
    return session.scalar(_POSTS, {"channel": channel, "since": since}) or 0


def failing(session: Session, channel: str) -> list[Notice]:
    """Return the undelivered notifications of a chat, oldest first."""
    return list(session.scalars(_FAILING, {"channel": channel}))


def hurry(session: Session, channel: str, after: datetime) -> None:
    """Make a chat's postponed notifications due now: it accepts messages again."""
    waiting = update(Notice).where(Notice.channel == channel, Notice.sent_at.is_(None), Notice.lease_until > after)
    session.execute(waiting.values(lease_until=None))


def forget(session: Session, ending: str) -> None:
    """Delete pending notifications with this key suffix, and blank the sent ones."""
    theirs = Notice.key.endswith(ending, autoescape=True)
    session.execute(delete(Notice).where(Notice.sent_at.is_(None), theirs))
    session.execute(update(Notice).where(theirs, Notice.text != "").values(text=""))


def delete_sent_before(session: Session, before: datetime) -> int:
    """Delete notifications sent before a time; return how many."""
    return len(session.scalars(delete(Notice).where(Notice.sent_at < before).returning(Notice.id)).all())
