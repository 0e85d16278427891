"""Restore a backup into an empty ledger without repeating what may have been sent since.

The backup does not know what was sent after it. So every email that was due by now, or in flight, becomes ambiguous:
Resend's report, or a person, settles it. Emails due from now on go as planned. Replies that may have been forwarded are
not forwarded, and lists that may have been imported are stopped.
"""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.states import State
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.maintenance.backup import unpack
from funnel_app.gateways.errors import GatewayError
from funnel_app.gateways.litestream import fetch
from funnel_app.ledger import emails, imports, received_emails, requests, snapshots
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine

AT_A_TIME = 500
EMPTY = "A backup goes into an empty one: stop Funnel, and let DATABASE_URL name a new file or database."


class NotRestored(Exception):
    """Nothing was changed; the message says why and what to do."""


@dataclass(frozen=True)
class Restored:
    """What was restored, and how many of its emails are ambiguous."""

    rows: dict[str, int]
    held: int

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def restore(deps: Deps, file: Path) -> Restored:
    """Fill the empty ledger of `DATABASE_URL` from a backup, in one transaction; NotRestored if that fails."""
    return _restore(deps, partial(unpack, file), file.name, "that backup")


def restore_moment(deps: Deps, replica: str, at: datetime | None) -> Restored:
    """Fill the empty ledger of `DATABASE_URL` from a replica at a moment, or its latest; NotRestored likewise."""
    moment = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "its end"
    return _restore(deps, partial(fetch, replica, at), f"the replica at {moment}", "then")


def _restore(deps: Deps, bring: Callable[[Path], None], source: str, since: str) -> Restored:
    now = deps.now()
    try:
        with tempfile.TemporaryDirectory(prefix="funnel-restore-", dir=_roomy(deps.settings)) as scratch:
            copy = Path(scratch) / "copy.db"
            bring(copy)
            snapshots.check(copy)
            _bring_up(copy)
            _make_tables(deps.engine)
            return _fill(deps.sessions, copy, f"restored from {source}: may have gone out since {since}", now)
    except (OSError, snapshots.BadCopy, GatewayError) as fault:
        raise NotRestored(f"{source}: {fault}") from fault


def _bring_up(copy: Path) -> None:
    engine = open_engine(f"sqlite:///{copy}")
    try:
        schema.upgrade(engine)
        if schema.current(engine) != schema.head():
            raise snapshots.BadCopy(f"it is of a newer release ({schema.current(engine)}): restore it with that one")
    finally:
        engine.dispose()


def _roomy(settings: Settings) -> str | None:
    # A container's /tmp may be memory.
    folder = settings.backup_dir
    return folder if folder and Path(folder).is_dir() else None


def _make_tables(engine: Engine) -> None:
    if schema.current(engine) not in {None, schema.head()}:
        raise NotRestored(f"The ledger of DATABASE_URL is at another release's migration, so it is not new. {EMPTY}")
    schema.upgrade(engine)


def _fill(sessions: sessionmaker[Session], copy: Path, reason: str, now: datetime) -> Restored:
    with sessions.begin() as session:
        there = sum(snapshots.count(session.connection()).values())
        if there:
            raise NotRestored(f"The ledger of DATABASE_URL holds {things(there, 'row')} already. {EMPTY}")
        rows = snapshots.fill(session.connection(), copy)
        return Restored(rows, _hold(session, reason, now))


def _hold(session: Session, reason: str, now: datetime) -> int:
    requests.close_unsettled(session, reason)
    received_emails.hold(session, reason)
    imports.halt(session, reason, now)
    held = 0
    while found := emails.sent_since(session, now, AT_A_TIME):
        for email in found:
            emails.move(session, email, State.AMBIGUOUS, now, reason)
        held += len(found)
        session.flush()
        session.expunge_all()
    return held
