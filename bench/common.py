"""What the programs of bench/ share: a calibration of the machine, callers, costs of processes, tables."""

import asyncio
import hashlib
import os
import platform
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

# What `calibrate` counted on a quiet machine when the goals were set; a ratio says how fast this one is beside it.
WORK_PER_S, SYNCS_PER_S = 700.0, 2_000.0
CALIBRATE_FOR_S = 1.0
BLOCK = b"x" * 4096


@dataclass(frozen=True)
class Machine:
    """This machine's speed now: of its processor, of the part of a core that is free, and of a sync to disk."""

    speed: float
    left: float
    syncs_per_s: float

    def __str__(self) -> str:
        """Return the facts that belong above every table."""
        return (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}; "
            f"speed {self.speed:.2f} of the reference, {self.left:.0%} of a core left by others, "
            f"{self.syncs_per_s:.0f} syncs a second ({self.syncs_per_s / SYNCS_PER_S:.2f} of the reference)"
        )


def calibrate() -> Machine:
    """Measure a core and the disk for two seconds; every speed measurement starts with this."""
    # Whoever is told to stop meanwhile ends what it started, which would spoil whatever is measured next.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    used = time.process_time()
    per_s = _rate(_work)
    left = (time.process_time() - used) / CALIBRATE_FOR_S
    return Machine(per_s / left / WORK_PER_S, min(left, 1.0), _rate(_sync_to(tempfile.TemporaryFile())))


def _rate(step: Callable[[], object]) -> float:
    began, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < CALIBRATE_FOR_S:
        step()
        count += 1
    return count / passed


def _work() -> None:
    seen: dict[str, int] = {}
    for number in range(1500):
        seen[f"lead{number}"] = number * number % 977
    hashlib.sha256(repr(sorted(seen.items(), key=lambda pair: pair[1])).encode()).hexdigest()


def _sync_to(file: IO[bytes]) -> Callable[[], None]:
    def write_through() -> None:
        file.seek(0)
        file.write(BLOCK)
        file.flush()
        os.fsync(file.fileno())

    return write_through


def percentile(values: Sequence[float], share: float) -> float:
    """Return the percentile of these values; the share is 0 to 1."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@dataclass
class Load:
    """The results of calls: answers by status, the time of each, and the total time."""

    took_s: float = 0.0
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Good answers (2xx) a second."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300) / self.took_s

    def ms(self, share: float) -> float:
        """Return a percentile of the answers' times, in milliseconds."""
        return percentile(self.seconds, share) * 1000


def post(path: str, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a POST of JSON as raw bytes."""
    own = {"Host": "127.0.0.1", "User-Agent": "bench", "Content-Type": "application/json", **dict(headers)}
    own["Content-Length"] = str(len(body))
    head = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items()), "", ""]
    return "\r\n".join(head).encode() + body


def call(port: int, requests: Sequence[bytes], callers: int) -> Load:
    """Make these calls to a port of 127.0.0.1 with this many callers, each on a kept-alive connection."""
    return asyncio.run(_call(port, requests, callers))


async def _call(port: int, requests: Sequence[bytes], callers: int) -> Load:
    load, waiting = Load(), iter(requests)
    began = time.perf_counter()
    await asyncio.gather(*(_caller(port, waiting, load) for _ in range(callers)))
    load.took_s = time.perf_counter() - began
    return load


async def _caller(port: int, waiting: Iterable[bytes], load: Load) -> None:
    line = None
    for request in waiting:
        began = time.perf_counter()
        if line is None:
            line = await asyncio.open_connection("127.0.0.1", port)
        status, kept = await _exchange(*line, request)
        load.seconds.append(time.perf_counter() - began)
        load.statuses[status] += 1
        if not kept:
            line[1].close()
            line = None
    if line is not None:
        line[1].close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bool]:
    """Return the status, 0 for a connection that ended without one, and whether the connection can be used again."""
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(row.split(": ", 1) for row in head.split("\r\n")[1:] if ": " in row)
        await reader.readexactly(int(fields.get("content-length", "0")))
    except (OSError, asyncio.IncompleteReadError):
        return 0, False
    return int(head.split()[1]), fields.get("connection") != "close"


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """Return these processes and their running descendants."""
    parents = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [each for parent in parents for each in (parent, *parent.children(recursive=True))]


def processor_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds of these processes and their children, including ended ones."""
    times = [each.cpu_times() for each in family(pids)]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def memory_mb(pids: Iterable[int]) -> float:
    """Return the memory of these processes and their children, in megabytes, with shared pages counted once."""
    return sum(map(pss_mb, family(pids)))


def pss_mb(process: psutil.Process) -> float:
    """Return a process's proportional set size (PSS), in megabytes."""
    return float(process.memory_full_info().pss) / 2**20


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, its goal if it has one, and whether more is better."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    more_is_better: bool = True

    @property
    def ratio(self) -> float | None:
        """The figure relative to its goal: 1 reaches it; None without a goal."""
        if self.goal is None or not self.value:
            return None
        return self.value / self.goal if self.more_is_better else self.goal / self.value


def show(title: str, machine: Machine, rows: Sequence[Row]) -> bool:
    """Print a table, ratios first; return whether every goal is reached."""
    print(f"\n{title}\n{machine}")
    print(f"{'of goal':>8}  {'figure':>12} {'unit':<8} {'goal':>8}  what")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        goal = "" if row.goal is None else f"{row.goal:g}"
        print(f"{ratio:>8}  {row.value:>12.2f} {row.unit:<8} {goal:>8}  {row.what}")
    sys.stdout.flush()
    return all(row.ratio is None or row.ratio >= 1 for row in rows)


def scratch(name: str) -> Path:
    """Return a new folder on the disk: in memory, syncs would cost nothing."""
    return Path(tempfile.mkdtemp(prefix=f"funnel-bench-{name}-"))
