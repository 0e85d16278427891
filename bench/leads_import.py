"""How many rows of a list come in a second, and how long hooks take meanwhile: `python -m bench.leads_import [full]`.

Hooks come twenty a second, first alone and then while `flask leads import` takes a list in, as in the docs: a sequence
starts for each row. Exit 1 where a row or a hook was not taken, or is not whole in the ledger.
"""

import csv
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.common import Load, Row, calibrate, call, scratch, show
from bench.due import Bench, running_bench
from bench.intake import SCENES, signups
from sandbox.command_line import command_line

SHORT, FULL = 2000, 50_000
HOOKS_ALONE = 400
EVERY_S = 0.05
STEPS = 5


def main(rows: int) -> int:
    """Print a table; exit with 1 if something was not accepted."""
    machine = calibrate()
    with running_bench() as bench:
        # What the emails themselves cost is measured by `bench.intake`.
        for part in ("worker", "scheduler"):
            bench.stack.processes.kill(part)
        hooks = _hooks(bench)
        _load(hooks, 50, lambda: False)
        alone = _load(hooks, HOOKS_ALONE, lambda: False)
        path = _list(rows)
        began = time.perf_counter()
        importing = _import(bench, path)
        beside = _load(hooks, None, lambda: importing.poll() is not None)
        took_s = time.perf_counter() - began
        answers = Counter(row["answer"] for row in csv.DictReader(_read(path)))
        faults = _faults(bench, rows, answers, alone, beside)
    show(
        "Lists",
        machine,
        [
            Row("rows of a list a second, hooks coming", rows / took_s, "/s"),
            Row("hooks alone: half within", alone.ms(0.5), "ms"),
            Row("hooks alone: 99 of 100 within", alone.ms(0.99), "ms"),
            Row("hooks while a list comes in: half within", beside.ms(0.5), "ms"),
            Row("hooks while a list comes in: 99 of 100 within", beside.ms(0.99), "ms"),
            Row(f"hooks while a list comes in: the slowest of {len(beside.seconds)}", beside.ms(1), "ms"),
        ],
    )
    return int(faults > 0)


def _hooks(bench: Bench) -> Iterator[tuple[int, bytes]]:
    port, secret = int(bench.stack.processes.env["PORT"]), bench.stack.processes.env["HOOK_SECRET"]
    number = 0
    while True:
        number += 1
        yield port, signups([number], SCENES[0], secret)[0]


def _load(hooks: Iterator[tuple[int, bytes]], count: int | None, is_over: Callable[[], bool]) -> Load:
    """Make twenty calls a second at fixed times, this many or until stopped."""
    load, next_at = Load(), time.perf_counter()
    for port, request in hooks:
        one = call(port, [request], 1)
        load.seconds += one.seconds
        load.statuses += one.statuses
        next_at = max(next_at + EVERY_S, time.perf_counter())
        time.sleep(max(0.0, next_at - time.perf_counter()))
        if is_over() or (count is not None and len(load.seconds) >= count):
            return load
    return load


def _list(rows: int) -> Path:
    path = scratch("list") / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(("Email Address", "First Name", "Last Name", "Company", "OPTIN_TIME", "Tags"))
        stamp = "2025-05-03 10:11:12"
        lines.writerows((f"delivered+row{n}@resend.dev", "Ana", "Roy", "Salon Ana", stamp, "fair") for n in range(rows))
    return path


def _import(bench: Bench, path: Path) -> subprocess.Popen[bytes]:
    wish = ("--sequence", "lead_nurture", "--yes")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "leads", "import", str(path), *wish]
    log = path.with_suffix(".log").open("wb")
    return subprocess.Popen(command, env=bench.stack.processes.env, stdout=log, stderr=log)


def _read(path: Path) -> list[str]:
    return path.with_name(f"{path.name}.result.csv").read_text("utf-8").splitlines()


def _faults(bench: Bench, rows: int, answers: Counter[str], *loads: Load) -> int:
    enrolled, planned = bench.written()
    refused = sum(load.statuses.total() - load.statuses[202] for load in loads)
    faults = refused + (rows - answers["enrolled"]) + max(0, rows - enrolled) + abs(enrolled * STEPS - planned)
    if faults:
        print(f"{faults} rows or hooks were not taken, or are not whole: {dict(answers)}")
    return faults


if __name__ == "__main__":
    sys.exit(main(FULL if command_line(__doc__, ("full",))["full"] else SHORT))
