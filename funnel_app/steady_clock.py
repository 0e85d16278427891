"""The steady clock: the machine's time; where that jumps by over an hour, it is not followed, and time is counted on.

While a machine's clock is wrong, leads would be planned hours late, and leases would end at the wrong time. What time
is counted from is shared by all processes of a machine, so that one that starts meanwhile is not taken in either.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

JUMP = timedelta(hours=1)
BOOT = Path("/proc/sys/kernel/random/boot_id")


def counted() -> float:
    """Return seconds since the machine started, which no setting of its clock moves; asleep it counts on, on Linux."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """Follows the machine's clock through small steps; after a jump, only once somebody else's clock bears it out."""

    def __init__(
        self,
        shown: Callable[[], float] = time.time,
        counted: Callable[[], float] = counted,
        shared: Callable[[], "Shared | None"] = lambda: None,
    ) -> None:
        self._shown = shown
        self._counted = counted
        self._shared = shared
        self._began: float | None = None

    def time(self) -> float:
        """Return the time in seconds since 1970."""
        return self._read()[0]

    def now(self) -> datetime:
        """Return the time, aware and UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def shown(self) -> datetime:
        """Return what the machine's clock shows, right or wrong."""
        return datetime.fromtimestamp(self._shown(), UTC)

    def jump(self) -> timedelta:
        """Return by how much the machine's clock is ahead of the time that this clock tells; zero while it follows."""
        return timedelta(seconds=self._read()[1])

    def trust(self, at: datetime) -> None:
        """Go by another's time from now on, in every process of this machine that starts later too."""
        self._began = at.timestamp() - self._counted()
        if (shared := self._shared()) is not None:
            shared.write(self._began)

    def _read(self) -> tuple[float, float]:
        """Return the time, and by how much the machine's clock is ahead of it."""
        shown, counted = self._shown(), self._counted()
        known = self._known_began(shown - counted)
        ahead = shown - counted - known
        if abs(ahead) > JUMP.total_seconds():
            return known + counted, ahead
        self._began = shown - counted
        return shown, 0.0

    def _known_began(self, began: float) -> float:
        """Return what the clock showed when counting began: as known here, else as shared, else as it shows now."""
        if self._began is None:
            shared = self._shared()
            self._began = began if shared is None else shared.read_or_write(began)
        return self._began


class Shared:
    """A file in which the processes of a machine share when its clock began to count; lost at the next boot."""

    def __init__(self, file: Path, boot: str) -> None:
        self._file = file
        self._boot = boot

    def read_or_write(self, began: float) -> float:
        """Return what is shared; where nothing is, share this."""
        try:
            boot, shared = self._read().split()
            if boot == self._boot:
                return float(shared)
        except (OSError, ValueError):
            pass
        self.write(began)
        return began

    def _read(self) -> str:
        # The folder is everybody's: whoever else lays this file there would tell us another time.
        with os.fdopen(os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW)) as found:
            owner = os.fstat(found.fileno()).st_uid
            return found.read() if os.geteuid() in (0, owner) or owner == 0 else ""

    def write(self, began: float) -> None:
        """Share this; a folder that is full or gone is no reason to stop."""
        draft = self._file.with_suffix(f".{os.getpid()}.{secrets.token_hex(8)}")
        try:
            with draft.open("x") as out:
                out.write(f"{self._boot} {began!r}")
            draft.replace(self._file)
        except OSError:
            draft.unlink(missing_ok=True)


def shared_by_machine() -> Shared | None:
    """Return what this machine's processes share; None on a machine that does not name its starts."""
    try:
        return Shared(Path(tempfile.gettempdir()) / "funnel-clock", BOOT.read_text().strip())
    except OSError:
        return None


# One for the process: what it counts from must be the same for all that ask.
CLOCK = SteadyClock(shared=shared_by_machine)
