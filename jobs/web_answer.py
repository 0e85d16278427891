"""A request that is here becomes an answer, in memory: gunicorn's parser and response without their socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from gunicorn.workers.base import Worker

from funnel_app.web.payloads import HEAD_ONLY
from jobs.web_connection import Connection

GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": detail})
    head = ("Content-Type: application/problem+json", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join((f"HTTP/1.1 {status.value} {status.phrase}", *head, "", body)).encode()


# What is said before there is a request that the application could answer.
TOO_SLOW = _refusal(
    HTTPStatus.REQUEST_TIMEOUT, "The request did not come to its end within 10 seconds; nothing was recorded."
)
HEAD_TOO_LARGE = _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is larger than 64 KB.")


@dataclass(frozen=True)
class Answer:
    """What goes back, whether the connection stays, and what came of the next request; or that the body is wanted."""

    data: bytes = b""
    stays: bool = False
    left: bytes = b""
    wants_body: bool = False


class Sink:
    """Takes what gunicorn would write to a socket."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep a part of the answer."""
        self.parts.append(data)

    def gettimeout(self) -> float:
        """Say that this never blocks."""
        return 0.0

    def send(self, data: bytes) -> None:
        """Drop gunicorn's `100 Continue`: whoever waits for one was told before the body came."""


def make_answer(worker: Worker, connection: Connection, data: bytes, head_only: bool) -> Answer:
    """Let the application answer a request; with its head alone, it may say that it wants the body."""
    sink, request = Sink(), None
    parser = RequestParser(worker.cfg, [data], connection.client)
    try:
        request = next(parser)
        response, environ = create(request, sink, connection.client, connection.server, worker.cfg)
        environ |= {"wsgi.multithread": True, HEAD_ONLY: head_only}
        if head_only or not worker.alive:
            response.force_close()
        _write(response, worker.wsgi(environ, response.start_response))
        if head_only and response.status_code == 100:
            return Answer(wants_body=True)
        stays = not response.should_close() and parser.finish_body()
    except (NoMoreData, StopIteration):
        return Answer()
    except Exception as fault:  # noqa: BLE001 - the outermost edge of a request
        # Nothing of a half-made answer has gone out.
        sink = Sink()
        worker.handle_error(request, sink, connection.client, fault)
        return Answer(b"".join(sink.parts))
    return Answer(b"".join(sink.parts), stays, parser.unreader.take_buffered() if stays else b"")


def _write(response: Any, body: Iterable[bytes]) -> None:
    try:
        for part in body:
            response.write(part)
        response.close()
    finally:
        if hasattr(body, "close"):
            body.close()
