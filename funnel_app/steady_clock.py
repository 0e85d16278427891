"""Steady clock: the machine's time, except that jumps of over an hour are not followed.

With a wrong clock, leads would be planned hours late and leases would end at the wrong time. The origin of the count is
shared by all processes of a machine, so that one started meanwhile keeps the right time, too.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

JUMP = timedelta(hours=1)
BOOT = Path("/proc/sys/kernel/random/boot_id")


def counted() -> float:
    """Return seconds since the machine started, unaffected by changes of its clock; includes sleep, on Linux."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Origin(NamedTuple):
    """Where the count begins, in seconds since 1970, and at what count another clock was last asked, if any was."""

    began: float
    asked: float = float("-inf")


class SteadyClock:
    """Follows the machine's clock through small steps; a jump only once another clock confirms it."""

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
        """Return how far the machine's clock is ahead of this one; zero while this one follows it."""
        return timedelta(seconds=self._read()[1])

    def learn(self, at: datetime) -> bool:
        """Compare with another clock, and use its time in all processes of this machine if it is over an hour off.

        Return whether it was.
        """
        ours, theirs = self.time(), at.timestamp()
        wrong = abs(theirs - ours) > JUMP.total_seconds()
        self._began = (theirs if wrong else ours) - self._counted()
        if (shared := self._shared()) is not None:
            shared.write(Origin(self._began, self._counted()))
        return wrong

    def follow(self, within: timedelta) -> bool:
        """Use what another process of this machine has learned; False if none asked another clock within that time."""
        shared = self._shared()
        origin = None if shared is None else shared.read()
        if origin is None or self._counted() - origin.asked > within.total_seconds():
            return False
        if abs(origin.began - self._known_began(origin.began)) > JUMP.total_seconds():
            self._began = origin.began
        return True

    def _read(self) -> tuple[float, float]:
        """Return the time, and how far the machine's clock is ahead of it."""
        shown, counted = self._shown(), self._counted()
        known = self._known_began(shown - counted)
        ahead = shown - counted - known
        if abs(ahead) > JUMP.total_seconds():
            return known + counted, ahead
        self._began = shown - counted
        return shown, 0.0

    def _known_began(self, began: float) -> float:
        """Return the clock's reading at the origin: known here, else shared, else as of now."""
        if self._began is None:
            shared = self._shared()
            self._began = began if shared is None else _share(shared, began)
        return self._began


class Shared:
    """A file in which the processes of a machine share the origin of the count; lost at the next boot."""

    def __init__(self, file: Path, boot: str) -> None:
        self._file = file
        self._boot = boot

    def read(self) -> Origin | None:
        """Return what is shared since this boot; None if nothing is, or it cannot be read."""
        try:
            boot, *origin = self._read().split()
            return Origin(*map(float, origin)) if boot == self._boot else None
        except (OSError, ValueError, TypeError):
            return None

    def _read(self) -> str:
        # The folder is world-writable: a file of another user could give us a false time.
        with os.fdopen(os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW)) as found:
            owner = os.fstat(found.fileno()).st_uid
            return found.read() if os.geteuid() in (0, owner) or owner == 0 else ""

    def write(self, origin: Origin) -> None:
        """Share this; a full or missing folder is ignored."""
        draft = self._file.with_suffix(f".{os.getpid()}.{secrets.token_hex(8)}")
        try:
            with draft.open("x") as out:
                out.write(f"{self._boot} {origin.began!r} {origin.asked!r}")
            draft.replace(self._file)
        except OSError:
            draft.unlink(missing_ok=True)


def _share(shared: Shared, began: float) -> float:
    """Return where the count begins for all processes; if none has said so yet, here."""
    if (known := shared.read()) is not None:
        return known.began
    shared.write(Origin(began))
    return began


def shared_by_machine() -> Shared | None:
    """Return the file shared on this machine; None if the machine has no boot id."""
    try:
        return Shared(Path(tempfile.gettempdir()) / "funnel-clock", BOOT.read_text().strip())
    except OSError:
        return None


# One per process, since all its callers must count from the same origin.
CLOCK = SteadyClock(shared=shared_by_machine)
