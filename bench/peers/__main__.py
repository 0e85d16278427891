"""Emails that are due at once, on Celery, Huey, RQ with rq-scheduler, and Prefect: `python -m bench.peers [EMAILS]`.

Their environments are made by `make peers`. A stack that is not installed is said to be, and left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.common import Row, calibrate, processor_s, show
from bench.due import wait_for
from sandbox.command_line import command_line
from sandbox.processes import Processes
from sandbox.redis_server import RedisServer, free_port

HERE = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("PEERS", HERE.parents[1] / "var/peers"))
AHEAD_S, PLANNED_PER_S = 6.0, 300.0
WORKERS = 2


@dataclass(frozen=True)
class Peer:
    """One stack: its environment, its setup commands, its processes, and its largest number of emails."""

    name: str
    environment: str
    module: str
    parts: tuple[tuple[str, ...], ...]
    before: tuple[tuple[str, ...], ...] = ()
    most: int = 100_000

    def command(self, words: tuple[str, ...], **places: object) -> list[str]:
        """Return a command of its environment, with placeholders filled in."""
        program, *arguments = (word.format(**places) for word in words)
        return [str(ENVIRONMENTS / self.environment / "bin" / program), *arguments]


_RQ_WORKER = ("rq", "worker", "-w", "rq.SimpleWorker", "-u", "{redis}", "--logging_level", "WARNING", "emails")
PEERS = (
    Peer("Huey", "rest", "on_huey",
         (("huey_consumer", "on_huey.huey", "-k", "process", "-w", str(WORKERS), "-q"),)),
    Peer("Celery", "rest", "on_celery",
         (("celery", "-A", "on_celery", "worker", "-c", str(WORKERS), "-l", "ERROR"),)),
    Peer("RQ + rq-scheduler", "rest", "on_rq",
         (*[_RQ_WORKER] * WORKERS, ("rqscheduler", "-u", "{redis}", "-i", "1", "--quiet"))),
    Peer("Prefect", "prefect", "on_prefect",
         (("prefect", "server", "start", "--host", "127.0.0.1", "--port", "{port}", "--analytics-off"),
          ("prefect", "worker", "start", "--pool", "bench", "--limit", "4")),
         before=(
             ("prefect", "work-pool", "create", "bench", "--type", "process"),
             ("python", "on_prefect.py", "deploy"),
         ),
         most=40),
)  # fmt: skip


def measure(peer: Peer, emails: int) -> list[Row]:
    """Return the figures of one stack, which runs alone."""
    emails = min(emails, peer.most)
    with tempfile.TemporaryDirectory(prefix="funnel-peer-") as folder, RedisServer() as redis:
        stub, port = free_port(), free_port()
        url = f"http://127.0.0.1:{stub}"
        processes = Processes(Path(folder), _environment(folder, url, redis.url, port))
        try:
            _run(processes, "stub", [sys.executable, "-m", "bench.stub", str(stub)], HERE.parents[1])
            processes.wait_for("stub", f"{url}/seen")
            _start(peer, processes, redis=redis.url, port=port)
            return _drain(peer, processes, url, emails)
        finally:
            processes.stop()


def _environment(folder: str, url: str, redis_url: str, port: int) -> dict[str, str]:
    own = {"STUB_URL": url, "REDIS_URL": redis_url, "PYTHONPATH": str(HERE), "PREFECT_HOME": folder}
    return {**os.environ, **own, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "DO_NOT_TRACK": "1"}


def _run(processes: Processes, name: str, command: list[str], folder: Path) -> None:
    with processes.log(name).open("ab") as log:
        processes.running[name] = subprocess.Popen(
            command, cwd=folder, env=dict(processes.env), stdout=log, stderr=log, start_new_session=True
        )


def _start(peer: Peer, processes: Processes, **places: object) -> None:
    first, *others = peer.parts
    _run(processes, "part-0", peer.command(first, **places), HERE)
    if peer.before:
        processes.wait_for("part-0", f"{processes.env['PREFECT_API_URL']}/health", within_s=180)
    for words in peer.before:
        subprocess.run(
            peer.command(words, **places), cwd=HERE, env=dict(processes.env), check=True, capture_output=True
        )
    for number, words in enumerate(others, start=1):
        _run(processes, f"part-{number}", peer.command(words, **places), HERE)
    time.sleep(AHEAD_S)


def _drain(peer: Peer, processes: Processes, url: str, emails: int) -> list[Row]:
    pids = [process.pid for name, process in processes.running.items() if name != "stub"]
    due = int(time.time() + AHEAD_S + emails / PLANNED_PER_S)
    names = [f"{number:06}" for number in range(emails)]
    planning = peer.command(("python", f"{peer.module}.py"))
    subprocess.run(
        planning, cwd=HERE, env=dict(processes.env), check=True, text=True, input=json.dumps([(n, due) for n in names])
    )
    time.sleep(max(due - 1 - time.time(), 0))
    used = processor_s(pids)
    seen = wait_for(url, emails, within_s=120 + emails / 20)["emails"]
    cost = (processor_s(pids) - used) * 1000 / emails
    came: Mapping[str, float] = dict(reversed([(name, at) for name, at in seen]))
    what = f"{peer.name}, {emails} due at once"
    first, last = (min(came.values()), max(came.values())) if came else (due, due)
    return [
        Row(f"{what}: emails a second", len(came) / max(last - min(first, due), 0.001), "/s"),
        Row(f"{what}: processor an email", cost, "ms"),
        Row(f"{what}: early / twice / missing: {sum(at < due for at in came.values())} / {len(seen) - len(came)} /"
            f" {emails - len(came)}", emails - len(came), ""),
    ]  # fmt: skip


def main(emails: int) -> int:
    """Print a table for each installed stack as soon as it is measured; the last one takes minutes."""
    machine = calibrate()
    for peer in PEERS:
        if not (ENVIRONMENTS / peer.environment).exists():
            print(f"{peer.name} is not installed: make peers")
            continue
        show(f"The same emails on {peer.name}, one call each", machine, measure(peer, emails))
    return 0


if __name__ == "__main__":
    sys.exit(main(*command_line(__doc__, count=1000).values()))
