"""How many signups a second are taken, each durable and with five emails: `python -m bench.intake [full]`.

One and sixteen callers; nothing else running, while the first emails go out, and with Resend's events coming back. Exit
1 where a signup was not answered with 202, or what was answered is not in the ledger.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.common import Load, Machine, Row, calibrate, call, post, processor_s, show
from bench.due import Bench, new_database, running_bench
from sandbox.command_line import command_line
from tests.postgres_server import PostgresServer

SHORT, FULL = 600, 2000
WARM_UP = 60
STEPS = 5
COST_MS = 2.0


@dataclass(frozen=True)
class Scene:
    """What runs beside the web, and the goals at sixteen callers: signups per second, and the 99th percentile in ms."""

    name: str
    parts: tuple[str, ...]
    per_second: float
    p99_ms: float


SCENES = (
    Scene("alone", (), 600, 45),
    Scene("while first emails go out", ("worker", "scheduler"), 350, 90),
    Scene("with Resend's events coming back", ("worker", "scheduler", "events"), 200, 200),
)
CALLERS = (1, 16)


def signups(numbers: Sequence[int], scene: Scene, secret: str) -> list[bytes]:
    """Return signups as the website makes them after an assessment, each of a lead of its own."""
    proof = [("Authorization", f"Bearer {secret}")]
    return [post("/webhook/christmas/signup", _body(f"{scene.name.split()[0]}{n}"), proof) for n in numbers]


def _body(name: str) -> bytes:
    return json.dumps(
        {"email": f"delivered+{name}@resend.dev", "first_name": "Ana", "business_name": "Salon Ana",
         "assessment_score": 38, "red_systems": 2, "orange_systems": 3, "weakest_system_1": "Money",
         "weakest_system_2": "Team", "strongest_system": "Service", "revenue_leak_total": 14500,
         "consent": {"text": "Yes, send me the playbook", "source": "website"}, "utm_source": "newsletter"}
    ).encode()  # fmt: skip


def measure(bench: Bench, scene: Scene, many: int) -> tuple[list[Row], int]:
    """Return the figures of one scene, and how many signups were not accepted."""
    port, secret = int(bench.stack.processes.env["PORT"]), bench.stack.processes.env["HOOK_SECRET"]
    call(port, signups(range(WARM_UP), scene, secret), 4)
    rows, faults, first = [], 0, WARM_UP
    for callers in CALLERS:
        used = processor_s(bench.pids("web"))
        count = many if callers > 1 else many // 4
        load = call(port, signups(range(first, first + count), scene, secret), callers)
        cost = (processor_s(bench.pids("web")) - used) * 1000 / count
        rows += _rows(scene, callers, load, cost)
        faults += count - load.statuses[202]
        first += count
    return rows, faults + _missing(bench, first)


def _rows(scene: Scene, callers: int, load: Load, cost_ms: float) -> list[Row]:
    what, goals = f"{scene.name}, {callers} callers", callers > 1
    rows = [
        Row(f"{what}: signups a second", load.per_second, "/s", scene.per_second if goals else None),
        Row(f"{what}: 99 of 100 within (half within {load.ms(0.5):.1f} ms)", load.ms(0.99), "ms",
            scene.p99_ms if goals else None, more_is_better=False),
    ]  # fmt: skip
    if scene.parts:
        return rows
    return [*rows, Row(f"{what}: the web's processor a signup", cost_ms, "ms", COST_MS, more_is_better=False)]


def _missing(bench: Bench, answered: int) -> int:
    """Return how many answered signups the ledger lacks or has only in part."""
    enrolled, planned = bench.written()
    return abs(answered - enrolled) + abs(answered * STEPS - planned)


@contextmanager
def _running(scene: Scene, url: str) -> Iterator[Bench]:
    with running_bench(database=new_database(url, scene.name.split()[0]) if url else "") as bench:
        processes = bench.stack.processes
        for part in {"worker", "scheduler"} - set(scene.parts):
            processes.kill(part)
        if "events" in scene.parts:
            secret = processes.env["RESEND_WEBHOOK_SECRET"]
            processes.start("events", "-m", "bench.events", bench.stub_url, processes.env["PORT"], secret)
        yield bench


def _on(url: str, where: str, machine: Machine, many: int) -> int:
    rows: list[Row] = []
    faults = 0
    for scene in SCENES:
        with _running(scene, url) as bench:
            found, wrong = measure(bench, scene, many)
        rows, faults = rows + found, faults + wrong
    show(f"Intake, {where}", machine, rows)
    return faults


def main(full: bool) -> int:
    """Print a table per ledger; exit with 1 if a signup was refused or is not in the ledger."""
    machine = calibrate()
    faults = _on("", "SQLite", machine, FULL if full else SHORT)
    if full:
        server = PostgresServer().start()
        try:
            faults += _on(server.url, "PostgreSQL", machine, FULL)
        finally:
            server.stop()
    if faults:
        print(f"{faults} signups were refused, or are not whole in the ledger")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, ("full",))))
