"""Beats: a file that each process touches while its loop goes round, so that one that hangs is noticed."""

import tempfile
import time
from pathlib import Path

STALE_AFTER_S = 60.0


def beat(part: str) -> None:
    """Note that this part's loop goes round. Safe to repeat; a folder that is full or gone is no reason to stop."""
    try:
        _file(part).touch()
    except OSError:
        return


def beats(part: str) -> bool:
    """Say whether a part of this machine went round within the last minute."""
    try:
        return time.time() - _file(part).stat().st_mtime < STALE_AFTER_S
    except OSError:
        return False


def begun(part: str) -> bool:
    """Say whether a part of this machine has come to its work since it was last told to begin again."""
    return _file(part).exists()


def reset(part: str) -> None:
    """Forget a part's beats."""
    _file(part).unlink(missing_ok=True)


def _file(part: str) -> Path:
    return Path(tempfile.gettempdir()) / f"funnel-{part}.beat"
