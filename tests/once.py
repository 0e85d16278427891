"""What the workers of a test run share: what takes long to make, made by the first to want it, and the network."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

_of_the_run: list[Path] = []


def share(folders: pytest.TempPathFactory) -> None:
    """Let this worker have what the others of its run made."""
    base = folders.getbasetemp()
    _of_the_run[:] = [base.parent if "PYTEST_XDIST_WORKER" in os.environ else base]


def once_a_run(name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of this name, which `make` has filled once in this run; the other workers wait for it.

    A process that is no test run's has a folder of its own, which goes with it.
    """
    folder = _folder() / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make(folder)
            (folder / "made").touch()
    return folder


@contextmanager
def network_changes() -> Iterator[None]:
    """Change this machine's network, once no browser loads anything: Chromium breaks off what it loads meanwhile."""
    with _locked("turn", fcntl.LOCK_EX), _locked("network", fcntl.LOCK_EX):
        yield


@contextmanager
def network_stays() -> Iterator[None]:
    """Use a browser while nobody changes the network; whoever wants to comes first."""
    with ExitStack() as held:
        with _locked("turn", fcntl.LOCK_SH):
            held.enter_context(_locked("network", fcntl.LOCK_SH))
        yield


@contextmanager
def _locked(name: str, how: int) -> Iterator[None]:
    with (_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield


def _folder() -> Path:
    return _of_the_run[0] if _of_the_run else Path(_of_this_process().name)


@cache
def _of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="funnel-once-")
