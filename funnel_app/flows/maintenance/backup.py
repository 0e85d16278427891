"""Back up: a copy of the ledger that was opened and counted before it counts as one; old ones go."""

import gzip
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.backup_files import TIME_FORMAT, taken
from funnel_app.ledger import snapshots
from funnel_app.ledger.engine import LedgerUnavailable
from funnel_app.ledger.storage import owner_cure
from funnel_app.ledger.troubles import explain

SCRATCH = ".backup-"
# Most of the ledger is compressed already: more effort gains little.
EFFORT = 1


class BackupFailed(Exception):
    """No backup was made, or it is not what it should be; the message says why."""


@dataclass(frozen=True)
class Backup:
    """One verified copy: where it is, and how many rows each table has in it."""

    file: str
    bytes: int
    rows: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the backup as plain data."""
        return asdict(self)


def backup(deps: Deps, folder: Path) -> Backup:
    """Write a verified copy of the ledger into a folder while everybody works on; BackupFailed where it cannot be."""
    try:
        _make_own(folder)
        _clear_up(folder)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
            packed, rows = _packed(deps, Path(scratch))
            file = packed.replace(folder / f"funnel-{deps.now().astimezone(UTC):{TIME_FORMAT}}.db.gz")
        return Backup(str(file), file.stat().st_size, rows)
    except PermissionError as fault:
        raise BackupFailed(f"No backup was made in {folder}: {fault}. {owner_cure(folder)}") from fault
    except (OSError, snapshots.BadCopy) as fault:
        raise BackupFailed(f"No backup was made in {folder}: {fault}") from fault
    except LedgerUnavailable as fault:
        raise BackupFailed(f"No backup was made in {folder}: {explain(fault)}") from fault


def _packed(deps: Deps, scratch: Path) -> tuple[Path, dict[str, int]]:
    copy, packed = scratch / "copy.db", scratch / "packed.db.gz"
    counted = snapshots.write(deps.engine, copy)
    with copy.open("rb") as plain, gzip.open(packed, "wb", EFFORT) as out:
        shutil.copyfileobj(plain, out, 1 << 20)
    packed.chmod(0o600)
    copy.unlink()
    # What is verified is the file itself, unpacked again as a restore would.
    unpack(packed, copy)
    found = snapshots.verify(copy)
    if found != counted:
        raise snapshots.BadCopy(f"it holds {found}, and the ledger held {counted}")
    return packed, found


def unpack(packed: Path, plain: Path) -> None:
    """Unpack a backup; BadCopy where the file was cut short or is none."""
    try:
        with gzip.open(packed, "rb") as source, plain.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except (gzip.BadGzipFile, EOFError) as fault:
        raise snapshots.BadCopy(f"{packed.name} is not a whole backup: {fault}") from None


def _make_own(folder: Path) -> None:
    """Make a folder, and those above it, for their owner alone; one that is there may be shared and stays as it is."""
    if not folder.exists():
        _make_own(folder.parent)
        folder.mkdir(0o700, exist_ok=True)


def _clear_up(folder: Path) -> None:
    # Left by a backup that was killed.
    for left in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)


def prune(folder: Path, keep: timedelta, now: datetime) -> int:
    """Remove the backups that are older than that, but never the newest; return how many."""
    old = [path for at, path in taken(folder)[:-1] if at < now - keep]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
