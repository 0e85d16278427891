"""Hook events: every authenticated call, with its outcome."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.ledger.database.compiled import Insert, Question
from funnel_app.ledger.models import Contact, HookEvent, Outcome
from funnel_app.ledger.models.base import written
from funnel_app.rules.calls.call import IMPORT
from funnel_app.rules.states import HEARD

# Prefix of the keys of rows that only count refused calls.
UNKEPT = "unkept:"
_REFUSED, _BY_TIME = written(HookEvent.outcome, Outcome.REFUSED), (HookEvent.received_at, HookEvent.id)
_SINCE, _BEFORE = HookEvent.received_at >= bindparam("since"), HookEvent.received_at < bindparam("before")
_LATELY = or_(_SINCE, HookEvent.happened_at >= bindparam("since"))
_OF_CONTACT = select(HookEvent).where(HookEvent.contact_id == bindparam("contact")).order_by(*_BY_TIME)
_OF_KEY = select(HookEvent).where(HookEvent.idempotency_key == bindparam("key"))
_REFUSED_BEFORE = select(HookEvent.id).where(_REFUSED, _BEFORE).order_by(HookEvent.received_at).limit(bindparam("most"))
_NEWEST_REFUSED = (
    select(HookEvent).where(_REFUSED).order_by(*(column.desc() for column in _BY_TIME)).limit(bindparam("most"))
)
# A row counts only calls of its own day.
_REFUSED_SINCE = _NEWEST_REFUSED.where(HookEvent.received_at >= bindparam("began"), _LATELY)
_UNKEPT = (
    select(HookEvent)
    .where(HookEvent.dedupe_key.startswith(UNKEPT, autoescape=True), _REFUSED, _LATELY)
    .order_by(HookEvent.id)
)


def add(session: Session, row: Mapping[str, Any]) -> None:
    """Store a call."""
    _ADD.into(session.connection(), [row])


_ADD = Insert(HookEvent.metadata.tables[HookEvent.__tablename__])


def heard(session: Session, contact_id: UUID, campaign: str, events: Collection[str]) -> list[HookEvent]:
    """Return the contact's events of these kinds in a campaign, oldest first."""
    wanted = select(HookEvent).where(
        HookEvent.contact_id == contact_id,
        HookEvent.campaign == campaign,
        HookEvent.event.in_(list(events)),
        HookEvent.outcome.in_(HEARD),
    )
    return list(session.scalars(wanted.order_by(HookEvent.received_at, HookEvent.id)))


def of_contact(session: Session, contact_id: UUID) -> list[HookEvent]:
    """Return a contact's calls, oldest first."""
    return list(session.scalars(_OF_CONTACT, {"contact": contact_id}))


def lock_key(session: Session, key: str) -> None:
    """Lock an idempotency key until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(key))))


def find_by_key(session: Session, key: str) -> HookEvent | None:
    """Return the call that was answered under an idempotency key; None if the key is new."""
    return session.scalars(_OF_KEY, {"key": key}).one_or_none()


def forget_key(session: Session, event: HookEvent) -> None:
    """Free an expired idempotency key."""
    event.idempotency_key = None
    session.flush()


def find(session: Session, hook_id: UUID) -> HookEvent | None:
    """Return a call; None if the id is unknown."""
    return session.get(HookEvent, hook_id)


def lock(session: Session, ids: Collection[UUID]) -> list[HookEvent]:
    """Return those of these calls that still exist, locked in a fixed order."""
    wanted = select(HookEvent).where(HookEvent.id.in_(list(ids))).order_by(HookEvent.id)
    return list(session.scalars(wanted.with_for_update()))


def newest(
    session: Session, outcome: str | None, limit: int, after: UUID | None = None, *, lists: bool | None = None
) -> list[HookEvent]:
    """Return the newest calls, of one outcome or all, without canaries; with `after`, those before that call.

    `lists` selects rows of imported lists, or all other calls; None both. Ids are time-ordered, so a page is one index
    scan, however far down.
    """
    wanted = select(HookEvent).where(HookEvent.mode != Mode.CANARY)
    if outcome is not None:
        wanted = wanted.where(HookEvent.outcome == outcome)
    if lists is not None:
        wanted = wanted.where((HookEvent.source == IMPORT) if lists else (HookEvent.source != IMPORT))
    if after is not None:
        wanted = wanted.where(HookEvent.id < after)
    return list(session.scalars(wanted.order_by(HookEvent.id.desc()).limit(limit)))


def refused_before(session: Session, before: datetime, limit: int) -> list[UUID]:
    """Return refused calls before a time, oldest first."""
    return list(session.scalars(_REFUSED_BEFORE, {"before": before, "most": limit}))


def refused(session: Session, wanted: Callable[[HookEvent], bool]) -> list[HookEvent]:
    """Return the matching refused calls, oldest first. They belong to no contact, so each is inspected."""
    calls = select(HookEvent).where(_REFUSED).order_by(HookEvent.id)
    return [call for call in session.scalars(calls) if wanted(call)]


def delete_refused(session: Session, ids: Collection[UUID]) -> int:
    """Delete these refused calls; return how many still existed."""
    theirs = delete(HookEvent).where(HookEvent.id.in_(list(ids)), _REFUSED)
    return len(session.scalars(theirs.returning(HookEvent.id)).all())


def newest_refused(session: Session, since: datetime | None, limit: int) -> list[HookEvent]:
    """Return the newest refused calls, since a time or of all, oldest first."""
    if since is None:
        return list(session.scalars(_NEWEST_REFUSED, {"most": limit}))[::-1]
    began = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return list(session.scalars(_REFUSED_SINCE, {"most": limit, "since": since, "began": began}))[::-1]


def taken_from(session: Session, addresses: Collection[str], since: datetime | None) -> dict[str, list[HookEvent]]:
    """Return these people's calls since a time that were not refused, by normalised address."""
    found: dict[str, list[HookEvent]] = defaultdict(list)
    if since is None or not addresses:
        return found
    wanted = select(Contact.email_norm, HookEvent).join(Contact, Contact.id == HookEvent.contact_id)
    theirs = wanted.where(Contact.email_norm.in_(list(addresses)), HookEvent.received_at > since)
    for address, event in session.execute(theirs.where(HookEvent.outcome != Outcome.REFUSED)):
        found[address].append(event)
    return found


def find_refused(session: Session, key: str) -> HookEvent | None:
    """Return the refused call that counts others with this key; None if there is none."""
    found = _REFUSED_BY_KEY.ask(session.connection(), key=key)
    return session.get(HookEvent, found[0]["id"]) if found else None


# Locked: whoever puts it aside just then frees its key, and this is no call of it any more.
_REFUSED_BY_KEY = Question(
    select(HookEvent.id).where(HookEvent.dedupe_key == bindparam("key"), _REFUSED).with_for_update()
)


def unkept(session: Session, since: datetime) -> list[HookEvent]:
    """Return the rows that count calls not kept, among those that grew since a time, oldest first."""
    return list(session.scalars(_UNKEPT, {"since": since}))


def refused_bytes(session: Session, caller: tuple[str, str, str], since: datetime) -> int:
    """Return the size of a hook's refused calls from a source since a time."""
    campaign, hook, source = caller
    [row] = _REFUSED_BYTES.ask(session.connection(), campaign=campaign, hook=hook, source=source, since=since)
    return int(row["bytes"])


_REFUSED_BYTES = Question(
    select(func.coalesce(func.sum(HookEvent.size), 0).label("bytes")).where(
        HookEvent.campaign == bindparam("campaign"),
        HookEvent.hook == bindparam("hook"),
        HookEvent.source == bindparam("source"),
        _SINCE,
        _REFUSED,
    )
)
