"""Nightly backup: make it, check the older ones, and record both results."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from funnel_app.deps import Deps
from funnel_app.flows.maintenance.backup import Backup, BackupFailed, backup, prune, why_broken
from funnel_app.flows.monitoring.probes import backups
from funnel_app.flows.monitoring.probes.backup_files import taken
from funnel_app.ledger.database.engine import LedgerUnavailable


@dataclass(frozen=True)
class Renewed:
    """The new backup, the number removed, and what is wrong with kept ones, by name."""

    made: Backup
    removed: int
    broken: dict[str, str]


def renew_backup(deps: Deps, *, prunes: bool = True) -> Renewed:
    """Make a backup in `BACKUP_DIR` and check the others; BackupFailed, also recorded, if it fails.

    The others are checked in either case: after a failure they are all there is.
    """
    folder = Path(str(deps.settings.backup_dir))
    try:
        made = backup(deps, folder)
    except BackupFailed as fault:
        # An unavailable ledger has an alert of its own.
        with suppress(*LedgerUnavailable):
            backups.report(deps, str(fault))
            backups.report_broken(deps, _look_at_kept(folder))
        raise
    removed = prune(folder, deps.settings.backup_keep, deps.now()) if prunes else 0
    backups.report(deps, None)
    broken = _look_at_kept(folder, besides=Path(made.file))
    backups.report_broken(deps, broken)
    return Renewed(made, removed, broken)


def _look_at_kept(folder: Path, besides: Path | None = None) -> dict[str, str]:
    found = {path.name: why_broken(path) for _, path in taken(folder) if path != besides}
    return {name: why for name, why in found.items() if why}
