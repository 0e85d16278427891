"""What a container runs: the migrations where its role asks for them, then its part of Funnel, or all parts."""

import os
import sys
import time

import structlog
from sqlalchemy.exc import OperationalError

from funnel_app.config import Settings
from funnel_app.ledger import schema
from funnel_app.ledger.engine import open_engine
from jobs.process import start
from jobs.processes import PARTS
from jobs.supervise import supervise

MIGRATING = ("all", "migrate")
LEDGER_WITHIN_S = 60.0

log = structlog.get_logger()


def main() -> int:
    """Become what `ROLE` says: all, web, worker, scheduler or migrate."""
    settings = start()
    if settings.role in MIGRATING and not migrate(settings.database_url):
        return 1
    if settings.role == "migrate":
        return 0
    commands = {part: [sys.executable, *arguments] for part, arguments in PARTS.items()}
    commands["web"] += ["--workers", str(settings.web_concurrency)]
    return _become(settings, commands)


def _become(settings: Settings, commands: dict[str, list[str]]) -> int:
    if settings.role == "all":
        return supervise(commands)
    command = commands[settings.role]
    # In place of this process, so that a stop reaches the part itself.
    return os.execv(command[0], command)  # noqa: S606 - our own command, and no shell is wanted


def migrate(database_url: str, within_s: float = LEDGER_WITHIN_S) -> bool:
    """Bring the ledger to the newest migration, once, whoever else starts now; False where it stays away."""
    engine = open_engine(database_url)
    deadline = time.monotonic() + within_s
    while True:
        try:
            before = schema.current(engine)
            schema.upgrade(engine)
            log.info("ledger_migrated", before=before, now=schema.current(engine))
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
    sys.exit(main())
