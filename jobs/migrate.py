"""Bring the ledger to the newest migration, with patience for a database that is still coming up; then end."""

import sys
import time

import structlog
from sqlalchemy.exc import OperationalError

from funnel_app.ledger import revision, schema
from funnel_app.ledger.engine import open_engine
from jobs.process import start

LEDGER_WITHIN_S = 60.0

log = structlog.get_logger()


def migrate(database_url: str, within_s: float = LEDGER_WITHIN_S) -> bool:
    """Bring the ledger to the newest migration, once, whoever else starts now; False where it stays away."""
    engine = open_engine(database_url)
    deadline = time.monotonic() + within_s
    while True:
        try:
            before = revision.current(engine)
            schema.upgrade(engine)
            log.info("ledger_migrated", before=before, now=revision.current(engine))
            return True
        except OperationalError as fault:
            log.warning("database_unavailable", error=str(fault.orig))
            if time.monotonic() > deadline:
                log.error("not_started", hint="DATABASE_URL names a ledger that cannot be reached")
                return False
            time.sleep(1)
        finally:
            engine.dispose()


if __name__ == "__main__":
    sys.exit(0 if migrate(start().database_url) else 1)
