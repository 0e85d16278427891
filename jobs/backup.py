"""The nightly backup, started by the scheduler: `python -m jobs.backup`."""

import sys

import structlog

from funnel_app.flows.maintenance.backup import BackupFailed
from funnel_app.flows.maintenance.nightly_backup import renew_backup
from funnel_app.flows.monitoring.probes.backups import TOLD
from jobs import process
from jobs.command_line import take_nothing
from jobs.first_step import start

log = structlog.get_logger()


def main() -> int:
    """Make the backup and remove old ones, with JSON logs; TOLD if it failed."""
    start()
    try:
        renewed = renew_backup(process.deps())
    except BackupFailed as fault:
        log.error("backup_not_made", error=str(fault))
        return TOLD
    log.info("backup_counted", **renewed.made.as_json(), removed=renewed.removed, broken=renewed.broken)
    return 0


if __name__ == "__main__":
    take_nothing(__doc__)
    sys.exit(main())
