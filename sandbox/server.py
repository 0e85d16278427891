"""Runs a sandbox on 127.0.0.1: `with serve() as server:` for tests, or in the foreground for a process."""

import threading
from types import TracebackType
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import create_sandbox
from sandbox.resend.webhooks import Courier
from sandbox.state import Config, Sandbox


class QuietHandler(WSGIRequestHandler):
    """Serves without a line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the inbox and `/control/calls` show more."""


class Server:
    """A sandbox that listens; port 0 takes a free one."""

    def __init__(self, config: Config | None, port: int) -> None:
        app = create_sandbox(config)
        self.sandbox: Sandbox = app.extensions["sandbox"]
        self.courier: Courier = app.extensions["courier"]
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)
        self._thread: threading.Thread | None = None
        self.port = int(self._server.server_port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.resend_url = self.url + "/resend"
        self.notion_url = self.url + "/notion"

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def run(self) -> None:
        """Serve in this thread until it is interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop serving and telling; safe to repeat."""
        self.courier.stop()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()


def serve(config: Config | None = None, port: int = 0) -> Server:
    """Start a sandbox in a thread and return its handle, also a context manager."""
    return Server(config, port).start()
