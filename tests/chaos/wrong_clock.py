"""A machine's clock that can be set wrong, for Funnel's own processes only: a library stands before their libc."""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class WrongClock:
    """Sets the wall clock of every process that was started with `env`, at once; clocks that only count on go on."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise RuntimeError(
                "A clock cannot be set wrong without a C compiler: `make servers` installs it where it may."
            )
        library = folder / "wrong_clock.so"
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
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
