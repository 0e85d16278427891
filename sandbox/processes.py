"""Start and stop the real processes of Funnel and its stand-ins, each with a log file of its own."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Protocol
from urllib.error import URLError
from urllib.request import urlopen

from jobs.processes import PARTS

ROOT = Path(__file__).parents[1]
TEMPLATES_DB_ID = "5a2b0d00-0000-4000-8000-000000000001"
MIRROR = {
    "NOTION_CONTACTS_DB_ID": "5a2b0d00-0000-4000-8000-000000000003",
    "NOTION_SEQUENCES_DB_ID": "5a2b0d00-0000-4000-8000-000000000005",
    "NOTION_WISHES_BY": "olga@example.com",
}
STOP_WITHIN_S = 10.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotStarted(Exception):
    """A process did not start; the message holds the end of its log."""


class Running(Protocol):
    """A process that was started, as `subprocess.Popen` is one."""

    pid: int

    @property
    def returncode(self) -> int | Any:
        """The status with which it ended; None while it runs."""

    def poll(self) -> int | None:
        """Look whether it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; TimeoutExpired where it goes on for longer."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""

    def terminate(self) -> None:
        """Ask it to stop."""

    def kill(self) -> None:
        """Kill it at once."""


class Starter(Protocol):
    """Starts a command in its own session, with output appended to two files."""

    def __call__(self, command: Sequence[str], env: Mapping[str, str], out: Path, err: Path) -> Running:
        """Start a command."""


def execute(command: Sequence[str], env: Mapping[str, str], out: Path, err: Path) -> Running:
    """Start a command in a new session."""
    with out.open("ab") as said, err.open("ab") as told:
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=said, stderr=told, start_new_session=True)


@dataclass
class Processes:
    """The processes of one Funnel. Every one that was started is stopped by `stop`."""

    folder: Path
    env: Mapping[str, str]
    running: dict[str, Running] = field(default_factory=dict)
    # What stands before each command, as that which enters another network does.
    prefix: tuple[str, ...] = ()
    # Tests have a cheaper one.
    starter: ClassVar[Starter] = execute

    def start(self, name: str, *arguments: str) -> None:
        """Start a process under a name; its log is `<folder>/<name>.log`."""
        command = [*self.prefix, sys.executable, *(arguments or PARTS[name])]
        self.running[name] = type(self).starter(command, self.env, self.log(name), self.log(name))

    def run(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed; NotStarted where it fails."""
        with TemporaryDirectory(dir=self.folder) as name:
            out, err = Path(name) / "out", Path(name) / "err"
            process = type(self).starter([sys.executable, *arguments], self.env, out, err)
            try:
                status = process.wait()
            except BaseException:  # it is in a session of its own, which a Ctrl-C does not reach
                os.killpg(process.pid, signal.SIGKILL)
                raise
            said, told = out.read_text(), err.read_text()
        if status:
            raise NotStarted(f"{' '.join(arguments)} failed:\n{said}{told}")
        return said

    def kill(self, name: str) -> None:
        """Kill a process and its children at once, as a crash or the kernel would."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, names: Collection[str] | None = None) -> None:
        """Ask these processes to stop, or all; kill what has not stopped in time."""
        stopping = {name: self.running.pop(name) for name in names or tuple(self.running)}
        for process in stopping.values():
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for name, process in stopping.items():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                print(f"{name} did not stop in time and was killed", file=sys.stderr)

    def ended(self) -> list[str]:
        """Return the names of the processes that were started and have ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def log(self, name: str) -> Path:
        """Return where a process logs."""
        return self.folder / f"{name}.log"

    def wait_for(self, name: str, url: str, within_s: float = 90.0) -> None:
        """Wait until an address answers 200; NotStarted with the end of the process's log where it never does."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and self.running[name].poll() is None:
            if answers(url):
                return
            time.sleep(0.05)
        raise NotStarted(f"{name} does not answer at {url}:\n{self.log(name).read_text()[-3000:]}")


def stop_once() -> None:
    """Raise KeyboardInterrupt at the first Ctrl-C, SIGTERM or hang-up, and at none that comes while all is stopped."""
    for number in STOPS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, _stop)


def _stop(number: int, frame: object) -> None:
    stop_no_more()
    raise KeyboardInterrupt


def stop_no_more() -> None:
    """Ignore every Ctrl-C, SIGTERM and hang-up from now on, since all is being stopped."""
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)


def answers(url: str, within_s: float = 2.0) -> bool:
    """Return whether an address answers 200 within so many seconds."""
    try:
        with urlopen(url, timeout=within_s) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def development_env(**place: Any) -> dict[str, str]:
    """Return the whole environment of a Funnel on this machine; `place` is what development_settings takes."""
    return inheriting(development_settings(**place))


def inheriting(own: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings over it."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **own}


def development_settings(
    *, folder: Path, web_port: int, sandbox_url: str, redis_url: str, interval_s: int
) -> dict[str, str]:
    """Return the settings of a Funnel on this machine against the stand-ins, in testing mode."""
    return {
        "SECRET_KEY": secrets.token_hex(32),
        "PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        "PORT": str(web_port),
        "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{web_port}",
        "WEB_CONCURRENCY": "2",
        "WORKERS": "2",
        "TESTING_MODE": "true",
        "TESTING_INTERVAL_SECONDS": str(interval_s),
        "TEST_RECIPIENTS": "*@resend.dev",
        "CANARY_EVERY_MINUTES": "0",
        "HOOK_SECRET": secrets.token_hex(16),
        "LEGACY_KEY": secrets.token_hex(16),
        "CALENDLY_SIGNING_KEY": secrets.token_hex(16),
        "CALCOM_SIGNING_KEY": secrets.token_hex(16),
        "RESEND_API_KEY": "re_sandbox",
        "RESEND_WEBHOOK_SECRET": "whsec_c2FuZGJveC1zaWduaW5nLXNlY3JldA==",
        "RESEND_API_URL": f"{sandbox_url}/resend",
        "RESEND_RATE_LIMIT": "10",
        "FROM_EMAIL": "BusinessX <hello@mail.businessx.example>",
        "NOTION_TOKEN": "ntn_sandbox",
        "NOTION_API_URL": f"{sandbox_url}/notion",
        "NOTION_RATE_LIMIT": "30",
        "NOTION_TEMPLATES_DB_ID": TEMPLATES_DB_ID,
        "CONSOLE_PASSWORD": secrets.token_hex(8),
        "COMPANY_NAME": "BusinessX",
        "COMPANY_ADDRESS": "1 Market Street, Toronto",
        "DATABASE_URL": f"sqlite:///{folder / 'funnel.db'}",
        "REDIS_URL": redis_url,
    }
