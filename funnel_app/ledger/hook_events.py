"""Hook events: every authenticated call, with what became of it."""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.ledger.base import written
from funnel_app.ledger.models import Contact, HookEvent, Outcome
from funnel_app.rules.call import IMPORT
from funnel_app.rules.states import HEARD

# How the keys begin of the rows that only count what was refused and is not kept.
UNKEPT = "unkept:"


def add(session: Session, event: HookEvent) -> HookEvent:
    """Keep a call."""
    session.add(event)
    session.flush()
    return event


def heard(session: Session, contact_id: UUID, campaign: str, events: Collection[str]) -> list[HookEvent]:
    """Return those of the contact's events in a campaign that are of these kinds, oldest first."""
    wanted = select(HookEvent).where(
        HookEvent.contact_id == contact_id,
        HookEvent.campaign == campaign,
        HookEvent.event.in_(list(events)),
        HookEvent.outcome.in_(HEARD),
    )
    return list(session.scalars(wanted.order_by(HookEvent.received_at, HookEvent.id)))


def of_contact(session: Session, contact_id: UUID) -> list[HookEvent]:
    """Return a contact's calls, oldest first."""
    return list(
        session.scalars(
            select(HookEvent).where(HookEvent.contact_id == contact_id).order_by(HookEvent.received_at, HookEvent.id)
        )
    )


def lock_key(session: Session, key: str) -> None:
    """Let only one transaction at a time work under an idempotency key, until it ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(key))))


def find_by_key(session: Session, key: str) -> HookEvent | None:
    """Return the call that was answered under an idempotency key; None where it is new."""
    return session.scalars(select(HookEvent).where(HookEvent.idempotency_key == key)).one_or_none()


def forget_key(session: Session, event: HookEvent) -> None:
    """Free an idempotency key whose time is over."""
    event.idempotency_key = None
    session.flush()


def find(session: Session, hook_id: UUID) -> HookEvent | None:
    """Return a call; None where there is none of that id."""
    return session.get(HookEvent, hook_id)


def newest(
    session: Session, outcome: str | None, limit: int, after: UUID | None = None, *, lists: bool | None = None
) -> list[HookEvent]:
    """Return the newest calls, of one outcome or of all, but no canaries; after a call: those that came before it.

    `lists` says whether only rows of imported lists are wanted, or all but those; None: both.
    The ids are time-ordered, so that a page is one walk along an index, however far down it is.
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
    """Return refused calls that came before a time, the oldest first."""
    wanted = select(HookEvent.id).where(written(HookEvent.outcome, Outcome.REFUSED), HookEvent.received_at < before)
    return list(session.scalars(wanted.order_by(HookEvent.received_at).limit(limit)))


def refused(session: Session, wanted: Callable[[HookEvent], bool]) -> list[HookEvent]:
    """Return the refused calls that are wanted, oldest first. They belong to no contact: each is looked into."""
    calls = select(HookEvent).where(written(HookEvent.outcome, Outcome.REFUSED)).order_by(HookEvent.id)
    return [call for call in session.scalars(calls) if wanted(call)]


def delete_refused(session: Session, ids: Collection[UUID]) -> int:
    """Delete these of the refused calls; return how many were still there."""
    theirs = delete(HookEvent).where(HookEvent.id.in_(list(ids)), written(HookEvent.outcome, Outcome.REFUSED))
    return len(session.scalars(theirs.returning(HookEvent.id)).all())


def newest_refused(session: Session, since: datetime | None, limit: int) -> list[HookEvent]:
    """Return the newest refused calls, of those since a time or of all, oldest first."""
    calls = select(HookEvent).where(written(HookEvent.outcome, Outcome.REFUSED))
    if since is not None:
        # A row counts only calls of the day on which it was made.
        began = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        calls = calls.where(HookEvent.received_at >= began)
        calls = calls.where(or_(HookEvent.received_at >= since, HookEvent.happened_at >= since))
    newest = session.scalars(calls.order_by(HookEvent.received_at.desc(), HookEvent.id.desc()).limit(limit))
    return list(newest)[::-1]


def taken_from(session: Session, addresses: Collection[str], since: datetime | None) -> dict[str, list[HookEvent]]:
    """Return the calls of these people since a time that were not refused, by normalised address."""
    found: dict[str, list[HookEvent]] = defaultdict(list)
    if since is None or not addresses:
        return found
    wanted = select(Contact.email_norm, HookEvent).join(Contact, Contact.id == HookEvent.contact_id)
    theirs = wanted.where(Contact.email_norm.in_(list(addresses)), HookEvent.received_at > since)
    for address, event in session.execute(theirs.where(HookEvent.outcome != Outcome.REFUSED)):
        found[address].append(event)
    return found


def find_refused(session: Session, key: str) -> HookEvent | None:
    """Return the refused call that others with this key are counted in; None where there is none."""
    wanted = select(HookEvent).where(HookEvent.dedupe_key == key, written(HookEvent.outcome, Outcome.REFUSED))
    return session.scalars(wanted.limit(1)).one_or_none()


def unkept(session: Session, since: datetime) -> list[HookEvent]:
    """Return the rows that count refused calls which are not kept, of those that grew since a time, oldest first."""
    rows = select(HookEvent).where(HookEvent.dedupe_key.startswith(UNKEPT, autoescape=True))
    rows = rows.where(written(HookEvent.outcome, Outcome.REFUSED))
    grown = rows.where(or_(HookEvent.received_at >= since, HookEvent.happened_at >= since))
    return list(session.scalars(grown.order_by(HookEvent.id)))


def refused_bytes(session: Session, caller: tuple[str, str, str], since: datetime) -> int:
    """Return what the refused calls of a campaign's hook from a source weigh that came since a time."""
    campaign, hook, source = caller
    weighed = select(func.coalesce(func.sum(HookEvent.size), 0)).where(
        HookEvent.campaign == campaign, HookEvent.hook == hook, HookEvent.source == source
    )
    weighed = weighed.where(HookEvent.received_at >= since, written(HookEvent.outcome, Outcome.REFUSED))
    return int(session.scalars(weighed).one() or 0)
