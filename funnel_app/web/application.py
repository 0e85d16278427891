"""Flask's application without what no call of ours needs, and each one would wait for."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter, Rule
from werkzeug.wsgi import get_host


class LazyRule(Rule):
    """A rule that compiles what builds its addresses when it is first asked for one: half of making an application."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, /, **values: str) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build


class Application(Flask):
    """A Flask whose views are plain functions, at addresses that depend on no host."""

    url_rule_class = LazyRule

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
