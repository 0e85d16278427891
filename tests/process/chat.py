"""A chat that takes alerts over real HTTP, and remembers when each came."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Chat:
    """Listens on a free port; what it is told, it has in the words that people read."""

    def __init__(self) -> None:
        self.messages: list[tuple[float, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/secret-of-the-chat"

    def last(self, words: str) -> float:
        """Return when the last message with these words came."""
        return next(at for at, text in reversed(self.messages) if words in text)

    def count(self, words: str) -> int:
        return sum(words in text for _, text in self.messages)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                messages.append((time.monotonic(), json.loads(body)["text"]))
                self._answer()

            def do_GET(self) -> None:
                messages.append((time.monotonic(), f"GET {self.path}"))
                self._answer()

            def _answer(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
