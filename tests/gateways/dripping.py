"""A server that answers a piece at a time, as slow and as wrong as one may."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
# Each piece comes in time, and all of them take many times as long.
DRIPS = {
    "headers": [OK, *[b"X-More: 1\r\n"] * 90],
    "body": [OK, b"Content-Length: 99999\r\n\r\n", *[b"<"] * 90],
}


@contextmanager
def saying(pieces: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers one call so, a piece every hundredth of a second; its address, and what it came to say."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def answer() -> None:
            line, _ = server.accept()
            with line, suppress(OSError):
                line.recv(65536)
                for piece in pieces:
                    line.sendall(piece)
                    said.append(piece)
                    over.wait(0.01)

        over = Event()
        pool.submit(answer)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", said
        over.set()
