"""Backup files in a folder, recognised by name, and whether last night's is among them."""

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    # Imports no collaborators, which halves the start-up time of a migration.
    from funnel_app.deps import Deps


NAME = re.compile(r"funnel-(\d{8}T\d{6}Z)\.db\.gz")
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
AT_NIGHT = time(3, 0)


def taken(folder: Path) -> list[tuple[datetime, Path]]:
    """Return the backups in a folder with their times, oldest first."""
    names = [(NAME.fullmatch(path.name), path) for path in folder.glob("funnel-*.db.gz")]
    return sorted((datetime.strptime(f"{n[1]}+0000", f"{TIME_FORMAT}%z"), path) for n, path in names if n)


def backup_due(deps: "Deps") -> bool:
    """Say whether last night's backup is missing; False if `BACKUP_DIR` is not set."""
    if deps.settings.backup_dir is None:
        return False
    found = taken(Path(deps.settings.backup_dir))
    return not found or found[-1][0] < last_night(deps.now(), deps.settings.timezone)


def last_night(now: datetime, timezone: str) -> datetime:
    """Return when last night's backup was due: 03:00 in this zone."""
    local = now.astimezone(ZoneInfo(timezone))
    tonight = datetime.combine(local.date(), AT_NIGHT, local.tzinfo)
    return tonight if tonight <= local else tonight - timedelta(days=1)
