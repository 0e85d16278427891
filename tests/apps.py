"""Applications for tests: made once for what they read while they are made, and handed to one test after another.

An application takes 100 to 500 ms to make, and holds nothing of a test but its collaborators, which are swapped.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from funnel_app.app import create_app
from funnel_app.campaigns.registry import Registry
from funnel_app.config import Settings
from funnel_app.current import keep_deps
from funnel_app.deps import Deps


class NotedSettings:
    """Settings that note which of them were read, and what they were."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.read: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = self.read[name] = getattr(self._settings, name)
        return value


@dataclass
class Made:
    """An application, and what requires a new one."""

    app: Flask
    registry: Registry
    settings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def campaigns(self) -> str:
        """All that stands in its campaigns' files; to write it down takes longer than to compare it."""
        return repr(self.registry)

    def would_be_the_same(self, deps: Deps) -> bool:
        """Whether these collaborators would have made the same one."""
        if any(getattr(deps.settings, name) != value for name, value in self.settings.items()):
            return False
        return self.registry is deps.registry or self.campaigns == repr(deps.registry)


class CompiledPages(BytecodeCache):
    """Pages that an application has compiled, for the next: found again by all of their text."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled = CompiledPages()
_free: list[Made] = []
_lent: list[Made] = []


def application(deps: Deps) -> Flask:
    """Return an application over these collaborators, which is this test's alone until it ends."""
    made = next((each for each in _free if each.would_be_the_same(deps)), None)
    if made is None:
        made = _make(deps)
    else:
        _free.remove(made)
    keep_deps(made.app, deps)
    _lent.append(made)
    return made.app


def _make(deps: Deps) -> Made:
    noted = NotedSettings(deps.settings)
    app = create_app(replace(deps, settings=cast(Settings, noted)))
    app.jinja_env.bytecode_cache = _compiled
    return Made(app, deps.registry, dict(noted.read))


def take_back() -> None:
    """Let the next test have what this one was lent."""
    _free.extend(_lent)
    _lent.clear()
