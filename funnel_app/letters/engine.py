"""Jinja2's sandbox with as little in it as letters need."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

from jinja2 import Environment, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

FILTERS = ("default", "upper", "lower", "title", "capitalize", "round", "int", "join", "trim", "length", "money")
TESTS = ("defined",)

_Thing = TypeVar("_Thing")


class _Missing(StrictUndefined):
    """A name without a value: its use raises UndefinedError with just the name as the message."""

    @property
    def _undefined_message(self) -> str:
        return self._undefined_name or "?"


@lru_cache(maxsize=512)
def template(source: str, *, html: bool) -> Template:
    """Return the compiled template; raises TemplateSyntaxError."""
    return (_HTML if html else PLAIN).from_string(source)


def _as_words(value: object) -> object:
    """Return a value as a reader expects it: 72.0 as 72, a list as "one, two"."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return value


def _money(amount: object) -> str:
    """Return an amount in whole dollars: 48500 as $48,500."""
    return f"${float(str(amount)):,.0f}"


def _environment(*, autoescape: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, autoescape=autoescape, finalize=_as_words, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.filters["money"] = _money
    environment.filters = _only(environment.filters, FILTERS)
    environment.tests = _only(environment.tests, TESTS)
    return environment


def _only(things: dict[str, _Thing], names: Iterable[str]) -> dict[str, _Thing]:
    return {name: things[name] for name in names}


_HTML = _environment(autoescape=True)
PLAIN = _environment(autoescape=False)
