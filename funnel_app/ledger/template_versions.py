"""Template versions: every text that Notion had under a key, and which one is in use."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, bindparam, exists, func, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, defer

from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models import TemplateVersion
from funnel_app.ledger.models.base import one_of

BODIES = (TemplateVersion.html, TemplateVersion.ready_html, TemplateVersion.ready_text)
VERDICT = ("good", "problems", "ready_html", "ready_text")

# Worded once: they are asked for every email, and wording one takes longer than asking it.
_OF_KEY = select(TemplateVersion).where(TemplateVersion.key == bindparam("key"))
_LATEST = _OF_KEY.order_by(TemplateVersion.checked_at.desc()).limit(1)
_ADOPTED = _OF_KEY.where(TemplateVersion.adopted_at.is_not(None)).order_by(TemplateVersion.adopted_at.desc()).limit(1)
_GOOD = _LATEST.where(TemplateVersion.good)


def _last(time: InstrumentedAttribute[Any], wanted: ColumnElement[bool]) -> Select[TemplateVersion]:
    last = (
        select(TemplateVersion.key, func.max(time).label("at")).where(wanted).group_by(TemplateVersion.key).subquery()
    )
    rows = select(TemplateVersion).where(wanted)
    rows = rows.join(last, (TemplateVersion.key == last.c.key) & (time == last.c.at))
    return rows.options(*(defer(column) for column in BODIES))


_LATEST_OF_ALL = _last(TemplateVersion.checked_at, true())
_OF_KEYS = one_of(TemplateVersion.key, "keys")
_LATEST_OF = _last(TemplateVersion.checked_at, _OF_KEYS)
# Not against letters that are stored beside it, each of which names the version that it was made of.
_LOCKED = select(TemplateVersion.id).where(_OF_KEYS).order_by(TemplateVersion.id).with_for_update(key_share=True)
_GOOD_OF_ALL = _last(TemplateVersion.checked_at, TemplateVersion.good.is_(True))
_ADOPTED_OF_ALL = _last(TemplateVersion.adopted_at, TemplateVersion.adopted_at.is_not(None))
_SEEN_AGAIN = (
    update(TemplateVersion)
    .where(one_of(TemplateVersion.id, "ids"))
    .values(checked_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)


def get(session: Session, version_id: UUID) -> TemplateVersion:
    """Return a version; NoResultFound if the id is unknown."""
    return session.scalars(select(TemplateVersion).where(TemplateVersion.id == version_id)).one()


def find_latest(session: Session, key: str) -> TemplateVersion | None:
    """Return the version last read from Notion; None if none was."""
    return session.scalars(_LATEST, {"key": key}).one_or_none()


def newest_subjects(session: Session) -> dict[str, str]:
    """Return the latest subject of each key."""
    rows = select(TemplateVersion.key, TemplateVersion.subject).order_by(TemplateVersion.checked_at)
    return {row.key: row.subject for row in session.execute(rows)}


def find_adopted(session: Session, key: str) -> TemplateVersion | None:
    """Return the version in use; None if no good one was ever adopted."""
    return session.scalars(_ADOPTED, {"key": key}).one_or_none()


def find_good(session: Session, key: str) -> TemplateVersion | None:
    """Return the newest valid version, adopted or not; None if there is none."""
    return session.scalars(_GOOD, {"key": key}).one_or_none()


def find_of_key(session: Session, key: str, version_id: UUID) -> TemplateVersion | None:
    """Return a version if it belongs to this key, else None."""
    return session.scalars(
        select(TemplateVersion).where(TemplateVersion.id == version_id, TemplateVersion.key == key)
    ).one_or_none()


def adopt(session: Session, version: TemplateVersion, now: datetime) -> None:
    """Use this version from now on, unless an operator has pinned another since Notion had it."""
    lock(session, [version.key])
    session.execute(_adopt(), {"its_id": version.id, "its_key": version.key, "since": version.since_at, "now": now})


@cache
def _adopt() -> Update:
    other, this = aliased(TemplateVersion), bindparam("its_id", type_=TemplateVersion.id.type)
    same_key = other.key == bindparam("its_key")
    chosen = exists().where(same_key, other.id != this, other.pinned_at >= bindparam("since"))
    adopted = update(TemplateVersion).where(TemplateVersion.id == this, ~chosen).values(adopted_at=bindparam("now"))
    return adopted.execution_options(synchronize_session=False)


def lock(session: Session, keys: Collection[str]) -> None:
    """Lock the versions of these keys in a fixed order: which one serves is one's choice at a time."""
    session.execute(_LOCKED, {"keys": list(keys)})


def pin(session: Session, version: TemplateVersion, now: datetime) -> None:
    """Use this version, whatever Notion has, until that changes."""
    version.adopted_at = version.pinned_at = now


def observe(session: Session, seen: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Record what Notion has under each of these keys now: a new version, or a known one.

    A version's `since_at` is when Notion began to have it without interruption. A known text gets the new verdict,
    since validation may have changed.
    """
    keys = [each["key"] for each in seen]
    # All in one order: two processes that judge one text differently would each keep a row that the other wants.
    lock(session, keys)
    latest = _by_key(session, _LATEST_OF, keys=keys)
    same = [latest[each["key"]].id for each in seen if _is_same(latest.get(each["key"]), each)]
    if same:
        session.execute(_SEEN_AGAIN, {"ids": same, "at": now})
    for each in seen:
        if not _is_same(latest.get(each["key"]), each):
            _observe_another(session, latest.get(each["key"]), each, now)


def _is_same(latest: TemplateVersion | None, seen: Mapping[str, Any]) -> bool:
    """Say whether Notion has the text that it had at the last reading, with the same verdict."""
    names = ("hash", "good", "problems")
    return latest is not None and all(getattr(latest, name) == seen[name] for name in names)


def _observe_another(session: Session, latest: TemplateVersion | None, seen: Mapping[str, Any], now: datetime) -> None:
    times = {"fetched_at": now, "since_at": now, "checked_at": now}
    if insert_or_ignore(session, TemplateVersion, {**seen, **times}, ["key", "hash"]):
        return
    changed = latest is None or latest.hash != seen["hash"]
    again = {"checked_at": now, **({"since_at": now} if changed else {}), **{name: seen[name] for name in VERDICT}}
    known = (TemplateVersion.key == seen["key"], TemplateVersion.hash == seen["hash"])
    session.execute(update(TemplateVersion).where(*known).values(**again))


def any_read_since(session: Session, since: datetime) -> bool:
    """Say whether any template was read after a time."""
    read = select(TemplateVersion.id).where(TemplateVersion.checked_at > since)
    return session.scalars(read.limit(1)).first() is not None


def latest_of_all(session: Session) -> dict[str, TemplateVersion]:
    """Return for each key the version last read, without bodies."""
    return _by_key(session, _LATEST_OF_ALL)


def adopted_of_all(session: Session) -> dict[str, TemplateVersion]:
    """Return for each key the version in use, without bodies."""
    return _by_key(session, _ADOPTED_OF_ALL)


def serving_of_all(session: Session) -> dict[str, TemplateVersion]:
    """Return for each key the version in use, else the newest valid one, without bodies."""
    return _by_key(session, _GOOD_OF_ALL) | adopted_of_all(session)


def _by_key(session: Session, rows: Select[TemplateVersion], **values: Collection[str]) -> dict[str, TemplateVersion]:
    return {version.key: version for version in session.scalars(rows, values)}


def of_key(session: Session, key: str, limit: int) -> list[TemplateVersion]:
    """Return the versions of a key without bodies, most recently read first."""
    return _without_bodies(session, TemplateVersion.key == key, limit)


def by_ids(session: Session, ids: Collection[UUID]) -> list[TemplateVersion]:
    """Return these versions without bodies; unknown ids are left out."""
    return _without_bodies(session, TemplateVersion.id.in_(list(ids)), len(ids))


def beginning_with(session: Session, beginning: str, limit: int) -> list[TemplateVersion]:
    """Return the versions whose hash begins so, of every key, without bodies, most recently read first."""
    return _without_bodies(session, TemplateVersion.hash.startswith(beginning, autoescape=True), limit)


def _without_bodies(session: Session, wanted: ColumnElement[bool], limit: int) -> list[TemplateVersion]:
    rows = select(TemplateVersion).where(wanted).options(*(defer(column) for column in BODIES))
    return list(session.scalars(rows.order_by(TemplateVersion.checked_at.desc()).limit(limit)))
