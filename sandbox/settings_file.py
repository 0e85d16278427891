"""The settings of a running demo in a file, so that commands in another terminal speak to it."""

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path


@contextmanager
def settings_file(file: Path, settings: Mapping[str, str]) -> Iterator[Path]:
    """Keep a file that a shell can read with `. FILE` for the time of the block, readable by its owner alone.

    Yields the file: where another process that runs keeps this one, it has a number (`demo-2.env`).
    """
    file.parent.mkdir(exist_ok=True)
    handle, ours = _taken(file)
    try:
        os.fchmod(handle, 0o600)
        os.ftruncate(handle, 0)
        os.write(handle, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()).encode())
        yield ours
    finally:
        ours.unlink(missing_ok=True)
        os.close(handle)


def _taken(file: Path) -> tuple[int, Path]:
    """Return the first file that no running process keeps, open and locked: one that was killed keeps none."""
    names = chain([file], (file.with_stem(f"{file.stem}-{number}") for number in count(2)))
    return next((handle, each) for each in names if (handle := _locked(each)) is not None)


def _locked(file: Path) -> int | None:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    if os.fstat(handle).st_nlink:
        return handle
    os.close(handle)  # who kept it has just taken it away
    return _locked(file)
