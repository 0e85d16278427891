"""Renew the backup: make the night's, look at the older ones again, and note how both ended."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from funnel_app.deps import Deps
from funnel_app.flows.maintenance.backup import Backup, BackupFailed, backup, prune, why_broken
from funnel_app.flows.monitoring import backups
from funnel_app.flows.monitoring.backup_files import taken
from funnel_app.ledger.engine import LedgerUnavailable


@dataclass(frozen=True)
class Renewed:
    """What was made, how many old ones went, and what is wrong with those that are kept, by their names."""

    made: Backup
    removed: int
    broken: dict[str, str]


def renew_backup(deps: Deps, *, prunes: bool = True) -> Renewed:
    """Make a backup in `BACKUP_DIR` and look at those that are there; BackupFailed, which is noted too, where none is.

    Those that are there are looked at in either case: where none was made, they are all that there is.
    """
    folder = Path(str(deps.settings.backup_dir))
    try:
        made = backup(deps, folder)
    except BackupFailed as fault:
        # That the ledger is away is told by itself.
        with suppress(*LedgerUnavailable):
            backups.tell(deps, str(fault))
            backups.tell_broken(deps, _look_at_kept(folder))
        raise
    removed = prune(folder, deps.settings.backup_keep, deps.now()) if prunes else 0
    backups.tell(deps, None)
    broken = _look_at_kept(folder, besides=Path(made.file))
    backups.tell_broken(deps, broken)
    return Renewed(made, removed, broken)


def _look_at_kept(folder: Path, besides: Path | None = None) -> dict[str, str]:
    found = {path.name: why_broken(path) for _, path in taken(folder) if path != besides}
    return {name: why for name, why in found.items() if why}
