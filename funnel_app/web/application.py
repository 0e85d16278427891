"""Flask's application without what no call of ours needs, and each one would wait for."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host


class Application(Flask):
    """A Flask whose views are plain functions, at addresses that depend on no host."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: Flask looks at each one whether it is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the view of an address, as Flask does for hosts and sockets too, by fifty calls more."""
        if request is None:
            return super().create_url_adapter(request)
        request.host = host = get_host(request.environ)
        where = (host, request.root_path or "/", "", request.scheme, request.path, request.method)
        return MapAdapter(self.url_map, *where, request.query_string.decode(errors="replace"))
