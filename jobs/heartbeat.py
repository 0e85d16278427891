"""Heartbeat files: each process touches one in its loop, so that a hanging process is noticed."""

import tempfile
import time
from pathlib import Path

STALE_AFTER_S = 60.0


def record_heartbeat(part: str) -> None:
    """Touch this process's file. Safe to repeat; a full or missing folder is ignored."""
    try:
        _file(part).touch()
    except OSError:
        return


def beats(part: str) -> bool:
    """Say whether a process of this machine has touched its file within the last minute."""
    try:
        return time.time() - _file(part).stat().st_mtime < STALE_AFTER_S
    except OSError:
        return False


def begun(part: str) -> bool:
    """Say whether a process of this machine has started working since the last reset."""
    return _file(part).exists()


def reset(part: str) -> None:
    """Delete a process's file."""
    _file(part).unlink(missing_ok=True)


def _file(part: str) -> Path:
    return Path(tempfile.gettempdir()) / f"funnel-{part}.beat"
