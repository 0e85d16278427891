"""A machine's clock that can be set wrong, for Funnel's own processes only: a library stands before their libc."""

import ctypes
import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
LIBRARY = SOURCE.parents[2] / "var" / "wrong_clock.so"


def build_library() -> Path | None:
    """Compile what stands before libc, unless that is done; None where there is no C compiler."""
    if LIBRARY.exists() and LIBRARY.stat().st_mtime >= SOURCE.stat().st_mtime:
        return LIBRARY
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    LIBRARY.parent.mkdir(exist_ok=True)
    made = LIBRARY.with_suffix(f".{os.getpid()}.so")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(made), str(SOURCE)], check=True)
    return made.replace(LIBRARY)


def go_by_the_wrong_clock() -> None:
    """In a process that was forked from one with the library: go by the file that WRONG_CLOCK names, if any."""
    ctypes.CDLL(None).wrong_clock_look()


class WrongClock:
    """Sets the wall clock of every process that was started with `env`, at once; clocks that only count on go on."""

    def __init__(self, folder: Path) -> None:
        library = build_library()
        if library is None:
            raise RuntimeError(
                "A clock cannot be set wrong without a C compiler: `make servers` installs it where it may."
            )
        self._file = folder / "wrong_clock"
        self._file.write_bytes(struct.pack("q", 0))
        # The processes share in a folder of their own what they know of the time, as those of one machine do.
        shared = folder / "tmp"
        shared.mkdir(exist_ok=True)
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "WRONG_CLOCK": str(self._file),
            "TMPDIR": str(shared),
        }

    def jump(self, seconds: int) -> None:
        """Set the clock so far ahead; a minus sets it back."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", seconds))

    def set_right(self) -> None:
        """Set the clock right."""
        self.jump(0)
