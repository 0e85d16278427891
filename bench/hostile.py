"""Fire hostile requests at a real web process and count what they did: `python -m bench.hostile [COUNT] [SEED]`.

Four in five come from strangers, the rest from somebody who knows the secret and sends what must not enter the funnel.
It ends with 1 where an answer was 5xx, a stranger left a row, anything entered the funnel, or memory grew.
"""

import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from bench.common import memory_mb
from bench.shots import Shot, broken_callers, person, strangers
from sandbox.command_line import command_line
from sandbox.stack import Stack, running_stack, start_web

THREADS = 8
STRANGERS_OF_ALL = 0.8
LONGEST_S = 1200.0
ANSWER_WITHIN_S = 15.0
READ_AT_MOST = 60_000
LARGEST_GROWTH_MB = 16.0
NO_ANSWER = 0
ENTERED = ("contacts", "enrolments", "emails", "messages", "requests")


@dataclass
class Tally:
    """Answers by kind of shot and status; `NO_ANSWER` if the connection was closed."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many were fired."""
        return self.counts.total()

    def of_status(self) -> Counter[int]:
        """Return how often each status came."""
        found: Counter[int] = Counter()
        for (_, status), count in self.counts.items():
            found[status] += count
        return found

    def faults(self) -> dict[tuple[str, int], int]:
        """Return what was answered 5xx, by kind."""
        return {key: count for key, count in self.counts.items() if key[1] >= 500}


class Gunner(threading.Thread):
    """One client with its own connection that fires until no shots are left."""

    def __init__(self, url: str, shots: Iterator[Shot], lock: threading.Lock, until: float) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(url)
        self.address = (str(parts.hostname), int(parts.port or 80))
        self.shots, self.lock, self.until = shots, lock, until
        self.counts: Counter[tuple[str, int]] = Counter()
        self.connection = HTTPConnection(*self.address, timeout=ANSWER_WITHIN_S)

    def run(self) -> None:
        """Fire until no shots or no time are left."""
        with closing(self.connection):
            while time.monotonic() < self.until and (shot := self._next()):
                self.counts[shot.kind, self._fire(shot)] += 1

    def _next(self) -> Shot | None:
        with self.lock:
            return next(self.shots, None)

    def _fire(self, shot: Shot) -> int:
        if shot.raw is not None:
            return _raw(self.address, shot.raw)
        try:
            self.connection.request(shot.method, shot.path, shot.body, shot.headers)
            answer = self.connection.getresponse()
            answer.read()
        except (HTTPException, OSError):
            # The server refused before it had read all; the next shot opens a connection again.
            self.connection.close()
            return NO_ANSWER
        if len(shot.body) > READ_AT_MOST:
            # What the server did not read of a body it cannot tell from a next request, so it hangs up.
            self.connection.close()
        return answer.status


def _raw(address: tuple[str, int], sent: bytes) -> int:
    try:
        with socket.create_connection(address, timeout=ANSWER_WITHIN_S) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(64)
    except OSError:
        return NO_ANSWER
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else NO_ANSWER


def fire(url: str, shots: Iterator[Shot]) -> Tally:
    """Fire all shots from several clients and return the answers."""
    lock, began = threading.Lock(), time.monotonic()
    gunners = [Gunner(url, shots, lock, began + LONGEST_S) for _ in range(THREADS)]
    for gunner in gunners:
        gunner.start()
    for gunner in gunners:
        gunner.join()
    return Tally(sum((gunner.counts for gunner in gunners), Counter()), time.monotonic() - began)


OURS = frozenset({"incidents", "notices", "heartbeats"})


def rows(ledger: Path) -> dict[str, int]:
    """Return how many rows each table of the ledger has."""
    with closing(sqlite3.connect(ledger)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> Counter[str]:
    """Return the growth of each table in rows, except those of Funnel's own alarms."""
    more = {name: count - before.get(name, 0) for name, count in after.items() if name not in OURS}
    return Counter({name: count for name, count in more.items() if count})


@dataclass(frozen=True)
class Findings:
    """The results of a storm."""

    tally: Tally
    left_by_strangers: Mapping[str, int]
    entered: int
    kept_refused: int
    memory: tuple[float, float, float]
    afterwards: int
    tracebacks: int

    def promises(self) -> dict[str, bool]:
        """Return each promise and whether it held."""
        _, warm, end = self.memory
        return {
            "no answer was 5xx": not self.tally.faults(),
            "strangers left no row": not self.left_by_strangers,
            "nothing entered the funnel": not self.entered,
            f"memory grew by less than {LARGEST_GROWTH_MB:.0f} MB once warm": end - warm < LARGEST_GROWTH_MB,
            "no trace of a crash in the log": not self.tracebacks,
            "a right call afterwards is accepted": self.afterwards == 202,
        }

    def print(self) -> None:
        """Print the figures, then the promises."""
        tally, (start, warm, end) = self.tally, self.memory
        print(f"{tally.total} requests in {tally.seconds:.0f} s: {tally.total / tally.seconds:.0f} a second")
        for status, count in sorted(tally.of_status().items()):
            print(f"  {status or 'closed':>6}  {count:>7}")
        print(f"rows left by strangers: {dict(self.left_by_strangers) or 0}")
        print(f"rows that entered the funnel: {self.entered}; refused calls kept for a replay: {self.kept_refused}")
        print(f"memory of the web process: {start:.0f} MB at the start, {warm:.0f} MB warm, {end:.0f} MB at the end")
        for (kind, status), count in tally.faults().items():
            print(f"  FAULT {kind}: {status}, {count} times")
        for promise, held in self.promises().items():
            print(f"{'held' if held else 'BROKEN':>6}  {promise}")


def storm(stack: Stack, count: int, seed: int) -> Findings:
    """Fire this many shots at the web process of a stack and return the results."""
    web, rng = stack.processes.running["web"].pid, Random(seed)
    outside, known = strangers(rng), broken_callers(rng, stack.processes.env["HOOK_SECRET"])
    before, start = rows(stack.ledger), memory_mb([web])
    # The first half loads what each web process loads once, and fills SQLite's caches; then memory has to stay.
    half = round(count * STRANGERS_OF_ALL) // 2
    first = [fire(stack.web_url, islice(outside, half))]
    left = grown(before, rows(stack.ledger))
    first.append(fire(stack.web_url, islice(known, count // 2 - half)))
    warmed, warm = rows(stack.ledger), memory_mb([web])
    then = [fire(stack.web_url, islice(outside, round(count * STRANGERS_OF_ALL) - half))]
    left += grown(warmed, rows(stack.ledger))
    then.append(fire(stack.web_url, islice(known, count - sum(part.total for part in (*first, *then)))))
    parts, end, after = [*first, *then], memory_mb([web]), rows(stack.ledger)
    return Findings(
        tally=Tally(sum((part.counts for part in parts), Counter()), sum(part.seconds for part in parts)),
        left_by_strangers=left,
        entered=sum(after[name] - before[name] for name in ENTERED),
        kept_refused=after["hook_events"] - before["hook_events"],
        memory=(start, warm, end),
        afterwards=stack.post("/webhook/christmas/signup", person(rng))[0],
        tracebacks=stack.processes.log("web").read_text(errors="replace").count("Traceback"),
    )


def main(count: int, seed: int) -> int:
    """Start a web process, fire at it, print the results; exit with 1 if a promise does not hold."""
    doors = {
        "LEGACY_KEY": "key-of-the-old-website",
        "CALCOM_SIGNING_KEY": "key-of-cal-com-here",
        "TRUSTED_PROXIES": "1",
    }
    with running_stack(3600, EVENTS_WEBHOOK_URL="", **doors) as stack:
        start_web(stack)
        findings = storm(stack, count, seed)
    findings.print()
    return 0 if all(findings.promises().values()) else 1


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, count=50_000, seed=1)))
