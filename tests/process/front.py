"""A front door as Coolify's proxy is one: one address, and behind it the containers that count as healthy."""

import itertools
import socket
import socketserver
import threading
from contextlib import suppress


class Front(socketserver.ThreadingTCPServer):
    """Passes each connection to one of `backends` (ports), the next where one refuses it; a context manager."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        super().__init__((address, port), _Connection)
        self.backends: list[int] = []
        self.turns = itertools.count()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "Front":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        front = self.server
        turn, backends = next(front.turns), list(front.backends)
        for number in range(len(backends)):
            with suppress(OSError):
                back = socket.create_connection(("127.0.0.1", backends[(turn + number) % len(backends)]), 2)
                back.settimeout(None)
                self._pass_on(back)
                return

    def _pass_on(self, back: socket.socket) -> None:
        there = threading.Thread(target=_pump, args=(self.request, back), daemon=True)
        there.start()
        _pump(back, self.request)
        back.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
