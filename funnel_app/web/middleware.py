"""Middleware: headers of every response, and one log line for each request."""

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from werkzeug.datastructures import Headers

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


def install_middleware(app: Flask) -> None:
    """Give each request an id, and each response its headers and a log line."""
    app.log_exception = _log_fault  # type: ignore[method-assign, assignment]  # Flask's own writes the whole path
    app.before_request(_begin)
    app.after_request(_finish)


def masked(path: str) -> str:
    """Return a path without the key or token in it."""
    return SECRET_PATHS.sub(r"/\1/***", path)


def _log_fault(fault: Any) -> None:
    log.error("failed", method=request.method, path=masked(request.path), exc_info=fault)


def _add_missing(headers: Headers, wanted: Mapping[str, str]) -> None:
    # Each lookup in werkzeug walks all headers.
    present = {name.lower() for name, _ in headers}
    for name, value in wanted.items():
        if name.lower() not in present:
            headers.add(name, value)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    if response.status_code == HTTPStatus.CONTINUE:
        return response
    response.headers["X-Request-Id"] = g.get("request_id", "")
    _add_missing(response.headers, HEADERS)
    if current_deps().settings.public_url.startswith("https:"):
        _add_missing(response.headers, OVER_TLS)
    if request.path not in QUIET:
        milliseconds = round((time.monotonic() - g.get("began", time.monotonic())) * 1000)
        path = masked(request.path)
        log.info("answered", method=request.method, path=path, status=response.status_code, ms=milliseconds)
    return response
