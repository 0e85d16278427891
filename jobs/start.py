"""What a container runs: the migrations where its role asks for them, then its part of Funnel, or all parts."""

import os
import sys
import time
from collections.abc import Callable

import structlog

from funnel_app.config import Settings
from funnel_app.flows.monitoring.ledger_identity import why_not_empty
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.ledger import schema, storage
from funnel_app.ledger.engine import LedgerUnavailable, open_engine
from funnel_app.ledger.troubles import explain
from jobs.process import start
from jobs.processes import PARTS
from jobs.supervise import supervise

MIGRATING = ("all", "migrate")
LEDGER_WITHIN_S = 60.0

log = structlog.get_logger()


def main() -> int:
    """Become what `ROLE` says: all, web, worker, scheduler or migrate."""
    settings = start()
    if settings.role in MIGRATING and not migrate(settings.database_url, was_known=lambda: _was_known(settings)):
        return 1
    if settings.role == "migrate":
        return 0
    commands = {part: [sys.executable, *arguments] for part, arguments in PARTS.items()}
    commands["web"] += ["--workers", str(settings.web_concurrency)]
    return _become(settings, commands)


def _was_known(settings: Settings) -> str | None:
    status = ProcessStatus(settings.redis_url)
    try:
        return why_not_empty(status, settings.backup_dir)
    finally:
        status.close()


def _become(settings: Settings, commands: dict[str, list[str]]) -> int:
    if settings.role == "all":
        return supervise(commands)
    command = commands[settings.role]
    # In place of this process, so that a stop reaches the part itself.
    return os.execv(command[0], command)  # noqa: S606 - our own command, and no shell is wanted


def migrate(
    database_url: str, within_s: float = LEDGER_WITHIN_S, was_known: Callable[[], str | None] = lambda: None
) -> bool:
    """Bring the ledger to the newest migration, once, whoever else starts now.

    False where it stays away, cannot keep what is to be kept, or is empty and was not: the log has the cure.
    """
    engine = open_engine(database_url)
    if closed := storage.why_closed(engine):
        log.error("not_started", hint=closed)
        return False
    deadline = time.monotonic() + within_s
    while True:
        try:
            before = schema.current(engine)
            if before is None and (known := was_known()):
                log.error("not_started", hint=known)
                return False
            schema.upgrade(engine)
            log.info("ledger_migrated", before=before, now=schema.current(engine))
            return True
        except schema.UnfitDatabase as fault:
            log.error("not_started", hint=str(fault))
            return False
        except LedgerUnavailable as fault:
            log.warning("database_unavailable", error=explain(fault))
            if time.monotonic() > deadline:
                log.error("not_started", hint="DATABASE_URL names a ledger that cannot be reached")
                return False
            time.sleep(1)
        finally:
            engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
