"""Middleware: headers of every response, and one log line for each request."""

import re
import secrets
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from flask import Flask, Response, g, request

from funnel_app.current import current_deps

log = structlog.get_logger()

REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# Keys and tokens in paths are secrets, and logs have many readers; also with extra slashes, which match no route.
SECRET_PATHS = re.compile(r"^/+(k|u)/+[^/]+")
QUIET = frozenset({"/healthz", "/readyz"})
POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; style-src 'unsafe-inline'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
}
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
# Werkzeug corrects the headers of these.
BODILESS = frozenset({*range(100, 200), HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
CORRECTED = frozenset({"location", "content-location"})


class PlainResponse(Response):
    """Flask's response, to which the headers that every response has are added last, where it has not its own."""

    required: ClassVar[dict[str, str]] = HEADERS

    def get_wsgi_response(self, environ: Any) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return body, status and headers; werkzeug copies the headers by five calls each, whether it has to or not."""
        names = {name.lower() for name, _ in self.headers}
        if self.status_code in BODILESS or "content-length" not in names or names & CORRECTED:
            body, status, headers = super().get_wsgi_response(environ)
        else:
            body, status, headers = self.get_app_iter(environ), self.status, list(self.headers)
        missing = [(name, value) for name, value in self.required.items() if name.lower() not in names]
        return body, status, [*headers, *missing, ("X-Request-Id", g.get("request_id", ""))]


class TlsResponse(PlainResponse):
    """The response of a Funnel whose public address is https."""

    required = HEADERS | OVER_TLS


def install_middleware(app: Flask) -> None:
    """Give each request an id, and each response its headers and a log line."""
    app.log_exception = _log_fault  # type: ignore[method-assign, assignment]  # Flask's own writes the whole path
    with app.app_context():
        is_https = current_deps().settings.public_url.startswith("https:")
    app.response_class = TlsResponse if is_https else PlainResponse
    app.before_request(_begin)
    app.after_request(_finish)


def masked(path: str) -> str:
    """Return a path without the key or token in it."""
    return SECRET_PATHS.sub(r"/\1/***", path)


def _log_fault(fault: Any) -> None:
    log.error("failed", method=request.method, path=masked(request.path), exc_info=fault)


def _begin() -> None:
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    g.request_id = request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _finish(response: Response) -> Response:
    path = request.path
    if response.status_code != HTTPStatus.CONTINUE and path not in QUIET:
        milliseconds = round((time.monotonic() - g.get("began", time.monotonic())) * 1000)
        log.info("answered", method=request.method, path=masked(path), status=response.status_code, ms=milliseconds)
    return response
