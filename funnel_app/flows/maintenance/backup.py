"""Backup: a copy of the ledger that is opened and counted before it counts as one; old ones are removed."""

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

from sqlalchemy import Engine

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.probes.backup_files import TIME_FORMAT, taken
from funnel_app.ledger import snapshots
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.database.storage import owner_cure
from funnel_app.ledger.database.troubles import explain

SCRATCH = ".backup-"
# The ledger is mostly compressed already: a higher level gains little.
EFFORT = 1
AT_A_TIME = 1 << 20
# https://www.sqlite.org/fileformat.html#magic_header_string
BEGINS = b"SQLite format 3\x00"
# Errors for a file that is truncated, corrupt or not gzip.
BROKEN = (gzip.BadGzipFile, EOFError, zlib.error)


class BackupFailed(Exception):
    """No valid backup was made; the message says why."""


@dataclass(frozen=True)
class Backup:
    """One verified copy: its file, and the row count of each table."""

    file: str
    bytes: int
    rows: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the backup as plain data."""
        return asdict(self)


def backup(deps: Deps, folder: Path) -> Backup:
    """Write a verified copy of the ledger into a folder while everybody works on; BackupFailed if it fails."""
    try:
        _make_own(folder)
        with _alone_in(folder):
            _clear_up(folder)
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
                packed, rows = _packed(deps.engine, Path(scratch))
                file = packed.replace(folder / f"funnel-{deps.now().astimezone(UTC):{TIME_FORMAT}}.db.gz")
        return Backup(str(file), file.stat().st_size, rows)
    except PermissionError as fault:
        raise BackupFailed(f"No backup was made in {folder}: {fault}. {owner_cure(folder)}") from fault
    except (OSError, snapshots.BadCopy) as fault:
        raise BackupFailed(f"No backup was made in {folder}: {fault}") from fault
    except LedgerUnavailable as fault:
        raise BackupFailed(f"No backup was made in {folder}: {explain(fault)}") from fault


def _packed(engine: Engine, scratch: Path) -> tuple[Path, dict[str, int]]:
    copy, packed = scratch / "copy.db", scratch / "packed.db.gz"
    counted = snapshots.write(engine, copy)
    with copy.open("rb") as plain, gzip.open(packed, "wb", EFFORT) as out:
        shutil.copyfileobj(plain, out, AT_A_TIME)
    _keep(packed)
    copy.unlink()
    # The compressed file is verified by decompressing it, as a restore would.
    unpack(packed, copy)
    found = snapshots.verify(copy)
    if found != counted:
        raise snapshots.BadCopy(f"it holds {found}, and the ledger held {counted}")
    return packed, found


def unpack(packed: Path, plain: Path) -> None:
    """Decompress a backup; BadCopy if it is truncated or not a backup."""
    try:
        with gzip.open(packed, "rb") as source, plain.open("wb") as out:
            shutil.copyfileobj(source, out, AT_A_TIME)
    except BROKEN as fault:
        raise snapshots.BadCopy(f"{packed.name} is not a whole backup: {fault}") from None


def why_broken(packed: Path) -> str | None:
    """Return why a backup cannot be restored any more; None if it is unchanged, or was removed.

    Its checksum covers all bytes, and it was opened and counted when made, so decompressing again is enough.
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
    """Make a file private and sync it to disk, so that it survives a power cut."""
    with packed.open("rb") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other backup is being made in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems cannot lock folders; two at once are rare, and the second would only fail.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_own(folder: Path) -> None:
    """Create a folder and its parents as private; an existing one may be shared and is left alone."""
    if not folder.exists():
        _make_own(folder.parent)
        folder.mkdir(0o700, exist_ok=True)


def _clear_up(folder: Path) -> None:
    # Left over from a killed backup.
    for left in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)


def prune(folder: Path, keep: timedelta, now: datetime) -> int:
    """Remove backups older than this, but never the newest; return how many."""
    old = [path for at, path in taken(folder)[:-1] if at < now - keep]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
