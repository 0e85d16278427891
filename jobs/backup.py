"""The nightly backup, which the scheduler starts: `python -m jobs.backup`."""

import sys
from pathlib import Path

import structlog

from funnel_app.flows.maintenance.backup import BackupFailed, backup, prune
from funnel_app.flows.monitoring import backups
from jobs import process
from jobs.settings import start

log = structlog.get_logger()


def main() -> int:
    """Make the backup and remove the old ones, in JSON lines as every process here; TOLD where none was made."""
    start()
    deps = process.deps()
    folder = Path(str(deps.settings.backup_dir))
    try:
        made = backup(deps, folder)
    except BackupFailed as fault:
        log.error("backup_not_made", error=str(fault))
        backups.tell(deps, str(fault))
        return backups.TOLD
    removed = prune(folder, deps.settings.backup_keep, deps.now())
    backups.tell(deps, None)
    log.info("backup_counted", **made.as_json(), removed=removed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
