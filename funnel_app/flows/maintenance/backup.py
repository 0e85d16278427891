"""Back up: a copy of the ledger that was opened and counted before it counts as one; old ones go."""

import fcntl
import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
AT_A_TIME = 1 << 20
# https://www.sqlite.org/fileformat.html#magic_header_string
BEGINS = b"SQLite format 3\x00"
# What unpacking says of a file that is not what was packed: its head, its end, its sum, or what stands between.
BROKEN = (gzip.BadGzipFile, EOFError, zlib.error)


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
        with _alone_in(folder):
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
        shutil.copyfileobj(plain, out, AT_A_TIME)
    _keep(packed)
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
            shutil.copyfileobj(source, out, AT_A_TIME)
    except BROKEN as fault:
        raise snapshots.BadCopy(f"{packed.name} is not a whole backup: {fault}") from None


def why_broken(packed: Path) -> str | None:
    """Return why a backup cannot be brought back any more; None where it is as it was made, or gone meanwhile.

    Its sum is of all its bytes, which were opened and counted when it was made: to unpack it again says enough.
    """
    try:
        with gzip.open(packed, "rb") as source:
            if source.read(len(BEGINS)) != BEGINS:
                return "it holds no ledger"
            while source.read(AT_A_TIME):
                pass
    except FileNotFoundError:
        return None
    except (*BROKEN, OSError) as fault:
        return str(fault)
    return None


def _keep(packed: Path) -> None:
    """Make a file its owner's alone and bring it to the disk, so that it is whole after a power cut as well."""
    with packed.open("rb") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other backup is made in a folder, as one by hand beside the night's."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Not every network file system locks folders; two at once are rare, and the second would only fail.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
