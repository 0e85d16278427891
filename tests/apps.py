"""Applications for tests: made once for the same settings and campaigns, and handed to one test after another.

An application takes 50 to 120 ms to make, and holds nothing of a test but its collaborators, which are swapped.
"""

from collections import defaultdict
from dataclasses import asdict

from flask import Flask

from funnel_app.app import create_app
from funnel_app.current import keep_deps
from funnel_app.deps import Deps

_free: dict[str, list[Flask]] = defaultdict(list)
_lent: list[tuple[str, Flask]] = []


def application(deps: Deps) -> Flask:
    """Return an application over these collaborators, which is this test's alone until it ends."""
    kind = f"{asdict(deps.settings)} {deps.registry!r}"
    app = _free[kind].pop() if _free[kind] else create_app(deps)
    keep_deps(app, deps)
    _lent.append((kind, app))
    return app


def take_back() -> None:
    """Let the next test have what this one was lent."""
    while _lent:
        kind, app = _lent.pop()
        _free[kind].append(app)
