"""What takes long to make and is the same for every worker of a test run: the first to want it makes it."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

_of_the_run: list[Path] = []


def share(folders: pytest.TempPathFactory) -> None:
    """Let this worker have what the others of its run made."""
    base = folders.getbasetemp()
    _of_the_run[:] = [base.parent if "PYTEST_XDIST_WORKER" in os.environ else base]


def once_a_run(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name, which `make` has filled once in this run; the other workers wait for it.

    A process that is no test run's has a folder of its own, which goes with it.
    """
    folder = (_of_the_run[0] if _of_the_run else Path(_of_this_process().name)) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make(folder)
            (folder / "made").touch()
    return folder


@cache
def _of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="funnel-once-")
