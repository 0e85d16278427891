"""Hold the front door's sockets slowly while normal hooks come in: `python -m bench.slow_sockets [SOCKETS] [HOOKS]`.

It ends with 1 where `/healthz` once did not answer, or a hook failed, or the slowest in a hundred took over 100 ms
longer than without the slow ones.
"""

import json
import random
import selectors
import socket
import sys
import threading
import time
from collections.abc import Sequence

from bench.common import Load, Row, calibrate, call, post, show
from bench.shots import person
from sandbox.command_line import command_line
from sandbox.processes import answers
from sandbox.stack import Stack, running_stack, start_web

CALLERS = 4
PATH = "/webhook/christmas/signup"
ADDED_MS = 100.0
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: funnel\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n"
OLD, FORGED = (f"X-Funnel-Signature: t={{}},v1={word * 16}\r\n\r\n" for word in ("0000", "ffff"))


def kinds() -> Sequence[str]:
    """Return the first bytes of each kind of slow stranger."""
    now = int(time.time())
    return ("", HEAD[:60], HEAD + OLD.format(1), HEAD + FORGED.format(now), HEAD.replace(PATH, "/nowhere") + "\r\n")


class Strangers(threading.Thread):
    """Keeps this many slow sockets open, sends a byte over each now and then, and reopens closed ones."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__(daemon=True)
        self.port, self.count, self.over = port, count, threading.Event()
        self.opened = 0
        self._poller = selectors.DefaultSelector()

    def run(self) -> None:
        """Run until stopped."""
        while not self.over.wait(0.2):
            for key, _ in self._poller.select(0):
                self._drop_if_shut(_line(key))
            while len(self._poller.get_map()) < self.count:
                self._open()
            for key in list(self._poller.get_map().values()):
                if key.data and random.random() < 0.2:
                    self._say(_line(key))

    def _open(self) -> None:
        line = socket.create_connection(("127.0.0.1", self.port))
        said = kinds()[self.opened % len(kinds())]
        line.sendall(said.encode())
        line.setblocking(False)
        self.opened += 1
        self._poller.register(line, selectors.EVENT_READ, bool(said))

    def _drop_if_shut(self, line: socket.socket) -> None:
        try:
            over = not line.recv(65536)
        except OSError:
            over = True
        if over:
            self._poller.unregister(line)
            line.close()

    def _say(self, line: socket.socket) -> None:
        try:
            line.send(b"x")
        except OSError:
            self._poller.unregister(line)
            line.close()


class Health(threading.Thread):
    """Requests `/healthz` twice a second on its own connection, as the image's check does."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.over, self.said = url, threading.Event(), [True]

    def run(self) -> None:
        """Run until stopped."""
        while not self.over.wait(0.5):
            self.said.append(answers(f"{self.url}/healthz"))


def _line(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket), "only sockets are registered"
    return key.fileobj


def hooks(stack: Stack, count: int, seed: int) -> Load:
    """Return the results of signups over kept-alive connections."""
    rng, secret = random.Random(seed), stack.processes.env["HOOK_SECRET"]
    bodies = (json.dumps(person(rng)).encode() for _ in range(count))
    proof = [("Authorization", f"Bearer {secret}")]
    return call(int(stack.processes.env["PORT"]), [post(PATH, body, proof) for body in bodies], CALLERS)


def measure(stack: Stack, sockets: int, count: int) -> tuple[Load, Load, Health, int]:
    """Return the results of hooks alone, of hooks beside the strangers, of health checks, and the sockets opened."""
    hooks(stack, 50, seed=1)
    alone = hooks(stack, count, seed=2)
    strangers, health = Strangers(int(stack.processes.env["PORT"]), sockets), Health(stack.web_url)
    strangers.start()
    while strangers.opened < sockets:
        time.sleep(0.1)
    health.start()
    beside = hooks(stack, count, seed=3)
    for thread in (strangers, health):
        thread.over.set()
        thread.join()
    return alone, beside, health, strangers.opened


def main(sockets: int, count: int) -> int:
    """Start a web process, hold its sockets, print a table; exit with 1 if a promise does not hold."""
    machine = calibrate()
    with running_stack(3600, EVENTS_WEBHOOK_URL="") as stack:
        start_web(stack)
        alone, beside, health, opened = measure(stack, sockets, count)
    added = beside.ms(0.99) - alone.ms(0.99)
    rows = [
        Row("what they add to the slowest hook of a hundred", max(0.01, added), "ms", ADDED_MS, False),
        Row("hooks beside the slow sockets, slowest of a hundred", beside.ms(0.99), "ms"),
        Row("the same alone", alone.ms(0.99), "ms"),
        Row("hooks beside the slow sockets, middle", beside.ms(0.5), "ms"),
        Row("the same alone", alone.ms(0.5), "ms"),
        Row("hooks accepted", beside.statuses[202], "", count),
        Row(f"/healthz answered, of {len(health.said)}", sum(health.said), "", len(health.said)),
        Row("slow sockets opened", opened, ""),
    ]
    held = show(f"{sockets} slow sockets, {CALLERS} callers with {count} hooks", machine, rows)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, sockets=500, count=1000)))
