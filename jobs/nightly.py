"""The nightly backup, as a process of its own, so that the scheduler never waits for it."""

import subprocess
import sys
import time
from pathlib import Path

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.maintenance.backup import BackupFailed, backup, prune
from funnel_app.flows.monitoring import backups
from funnel_app.flows.monitoring.backups import backup_due
from jobs import process

COMMAND = ("-m", "jobs.nightly")
TRY_AGAIN_AFTER_S = 3600.0
# The exit code of a backup that was not made and has said why.
TOLD = 3

log = structlog.get_logger()


class NightlyBackup:
    """At most one backup at a time; one that failed is told, and tried again an hour later."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = float("-inf")

    def step(self, deps: Deps) -> None:
        """Start the backup where last night's is missing, and look after one that runs."""
        if self._process is not None:
            self._look_after(deps, self._process)
        elif time.monotonic() >= self._not_before and backup_due(deps):
            log.info("backup_started", folder=deps.settings.backup_dir)
            self._process = subprocess.Popen([sys.executable, *COMMAND])

    def _look_after(self, deps: Deps, process: subprocess.Popen[bytes]) -> None:
        code = process.poll()
        if code is None:
            return
        self._process = None
        if code == 0:
            log.info("backup_made")
            return
        self._not_before = time.monotonic() + TRY_AGAIN_AFTER_S
        log.error("backup_failed", code=code, hint="its last words are above; run flask ledger backup")
        if code != TOLD:
            backups.tell(deps, f"it ended with code {code} (-9: mostly too little memory); the log has its last words")

    def stop(self) -> None:
        """End a backup that runs; the next scheduler makes it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def main() -> int:
    """Make the backup and remove the old ones, in JSON lines as every process here; TOLD where none was made."""
    process.start()
    deps = process.deps()
    folder = Path(str(deps.settings.backup_dir))
    try:
        made = backup(deps, folder)
    except BackupFailed as fault:
        log.error("backup_not_made", error=str(fault))
        backups.tell(deps, str(fault))
        return TOLD
    removed = prune(folder, deps.settings.backup_keep, deps.now())
    backups.tell(deps, None)
    log.info("backup_counted", **made.as_json(), removed=removed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
