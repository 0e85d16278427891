"""When the nightly backup runs: as a process of its own, so that the scheduler never waits for it."""

import subprocess
import sys
import time

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.probes import backups
from funnel_app.flows.monitoring.probes.backup_files import backup_due
from funnel_app.flows.monitoring.probes.backups import TOLD

COMMAND = ("-m", "jobs.backup")
TRY_AGAIN_AFTER_S = 3600.0

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
            backups.report(
                deps, f"it ended with code {code} (-9: mostly too little memory); the log has its last words"
            )

    def stop(self) -> None:
        """End a backup that runs; the next scheduler makes it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
