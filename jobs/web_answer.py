"""Turn a complete request into a response in memory, with gunicorn's parser and response but no socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import Response, create
from gunicorn.workers.base import Worker

from funnel_app.web.bounded_request import HEAD_ONLY
from funnel_app.web.middleware import TlsResponse
from jobs.web_connection import Connection
from jobs.web_framing import Incoming

# What every response has: gunicorn looks at each header by nine calls, and would take these as they are.
CONSTANT = frozenset(TlsResponse.required.items())
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": detail})
    head = ("Content-Type: application/problem+json", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join((f"HTTP/1.1 {status.value} {status.phrase}", *head, "", body)).encode()


# Responses before there is a request for the application.
TOO_SLOW = _refusal(
    HTTPStatus.REQUEST_TIMEOUT, "The request did not come to its end within 10 seconds; nothing was recorded."
)
HEAD_TOO_LARGE = _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is larger than 64 KB.")


@dataclass(frozen=True)
class Answer:
    """The response, whether the connection stays open, and the next request's start; or that the body is needed."""

    data: bytes = b""
    stays: bool = False
    left: bytes = b""
    wants_body: bool = False


class Sink:
    """Collects what gunicorn writes to a socket."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Append a part of the response."""
        self.parts.append(data)

    def gettimeout(self) -> float:
        """Say that this never blocks."""
        return 0.0

    def send(self, data: bytes) -> None:
        """Drop gunicorn's `100 Continue`: a caller that waits for one got it before the body."""


class OwnRequest(Request):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's request, which takes no caller's address apart where no proxy is believed anyway."""

    def _peer_is_trusted_proxy(self) -> bool:
        if isinstance(self.peer_addr, tuple) and not self.cfg.forwarded_allow_ips:
            return False
        return bool(super()._peer_is_trusted_proxy())


class OwnParser(RequestParser):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's parser of such requests."""

    mesg_class = OwnRequest


class OwnResponse(Response):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's response, which does not judge again the headers that are always the same."""

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Add the headers; raises as gunicorn does where one is none."""
        self.headers += [header for header in headers if header in CONSTANT]
        super().process_headers([header for header in headers if header not in CONSTANT])


def keep_settings(cfg: Config) -> None:
    """Let gunicorn find its settings, which change no more, without two calls for each: it asks twenty times a call."""
    vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})


def make_answer(worker: Worker, connection: Connection, data: bytes, head_only: bool) -> Answer:
    """Let the application answer a request; given only the head, it may ask for the body."""
    sink, request = Sink(), None
    parser = OwnParser(worker.cfg, [data], connection.client)
    try:
        request = next(parser)
        response, environ = create(request, sink, connection.client, connection.server, worker.cfg, OwnResponse)
        environ |= {"wsgi.multithread": True, HEAD_ONLY: head_only}
        if head_only or not worker.alive:
            response.force_close()
        _write(response, worker.wsgi(environ, response.start_response))
        if head_only and response.status_code == 100:
            return Answer(wants_body=True)
    except (NoMoreData, StopIteration):
        return Answer()
    except Exception as fault:  # noqa: BLE001 - the outermost edge of a request
        # No part of an unfinished response has been sent.
        sink = Sink()
        worker.handle_error(request, sink, connection.client, fault)
        return Answer(b"".join(sink.parts))
    left = None if response.should_close() else _left(parser, connection.incoming)
    return Answer(b"".join(sink.parts), left is not None, left or b"")


def _left(parser: RequestParser, incoming: Incoming) -> bytes | None:
    """Return the bytes of the next request; None if its start is uncertain.

    Leftovers of a body would be parsed as a request, behind a proxy even as another caller's (request smuggling, RFC
    9112 section 11.2): so the parser and the door must agree, and a connection is closed after an unread body.
    """
    ends_at = incoming.ends_at
    try:
        if ends_at is None:
            return None
        # All that nobody read, at once: by itself the parser copies what is left of it for each kilobyte.
        parser.mesg.body.read()
        if not parser.finish_body():
            return None
    except (ParseException, OSError):
        return None
    left: bytes = parser.unreader.take_buffered()
    return left if left == incoming.data[ends_at:] else None


def _write(response: Any, body: Iterable[bytes]) -> None:
    try:
        for part in body:
            response.write(part)
        response.close()
    finally:
        if hasattr(body, "close"):
            body.close()
