"""Somebody who may not read everything, though the tests run as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Look at files as one without rights for the time of the block; who is not root has few enough."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may look into; pytest's own are for one only."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
