"""Stop: an Event for handlers of signals, which run in the middle of whatever waits for it."""

from contextlib import suppress
from threading import Event, Lock


class Stop(Event):
    """Set once, and never cleared.

    An Event's lock is not reentrant: a handler that sets one while its own thread begins or ends to wait for it waits
    for that thread, for ever. Here nobody waits but for the gate, which the handler opens. (A SimpleQueue's `get` waits
    for ever where its time is over before it begins to wait.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._was_set = False
        self._gate = Lock()
        self._gate.acquire()

    def set(self) -> None:
        """Let all who wait go on."""
        self._was_set = True
        self._open()

    def is_set(self) -> bool:
        """Say whether it was set."""
        return self._was_set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for so many seconds; say whether it was set."""
        if not self._was_set and self._gate.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            # For the next who waits.
            self._open()
        return self._was_set

    def _open(self) -> None:
        with suppress(RuntimeError):  # it is open
            self._gate.release()
