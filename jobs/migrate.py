"""Migrate the ledger, waiting for a database that is still starting; then exit."""

import sys
import time
from collections.abc import Callable

import structlog

from funnel_app.config import Settings
from funnel_app.flows.monitoring.probes.ledger_identity import why_not_empty
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.ledger.database import revision, schema, storage
from funnel_app.ledger.database.engine import LedgerUnavailable, open_engine
from funnel_app.ledger.database.troubles import explain
from jobs.command_line import take_nothing
from jobs.first_step import start

LEDGER_WITHIN_S = 60.0

log = structlog.get_logger()


def migrate(
    database_url: str, within_s: float = LEDGER_WITHIN_S, was_known: Callable[[], str | None] = lambda: None
) -> bool:
    """Migrate the ledger, once, whoever else starts now.

    False if it stays away, is unfit, or is empty and was not before: the log has the fix.
    """
    engine = open_engine(database_url)
    if closed := storage.why_closed(engine):
        log.error("not_started", hint=closed)
        return False
    deadline = time.monotonic() + within_s
    while True:
        try:
            before = revision.current(engine)
            if before is None and (known := was_known()):
                log.error("not_started", hint=known)
                return False
            schema.upgrade(engine)
            log.info("ledger_migrated", before=before, now=revision.current(engine))
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


def _was_known(settings: Settings) -> str | None:
    status = ProcessStatus(settings.redis_url)
    try:
        return why_not_empty(status, settings.backup_dir)
    finally:
        status.close()


def main() -> int:
    """Migrate the ledger of the settings; 1 if the container cannot start."""
    settings = start()
    return 0 if migrate(settings.database_url, was_known=lambda: _was_known(settings)) else 1


if __name__ == "__main__":
    take_nothing(__doc__)
    sys.exit(main())
