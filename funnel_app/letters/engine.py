"""Engine: Jinja2's sandbox, reduced to what letters need."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from funnel_app.letters.language import FILTERS, TESTS, TOO_DEEP, all_of, outside
from funnel_app.letters.limits import MOST_LETTER_CHARS
from funnel_app.letters.shape import marked

PIECES_AT_A_TIME = 32

_Thing = TypeVar("_Thing")


class _Missing(StrictUndefined):
    """A missing value: using it raises UndefinedError with the name as the message."""

    @property
    def _undefined_message(self) -> str:
        return self._undefined_name or "?"


@lru_cache(maxsize=256)
def template(source: str, *, html: bool) -> Template:
    """Return the compiled template; raises TemplateSyntaxError, also for anything outside the language.

    Jinja2 evaluates constants while compiling, so disallowed nodes must be rejected before.
    """
    environment = _HTML if html else PLAIN
    tree = environment.parse(source)
    things = all_of(tree)
    forbidden = TOO_DEEP if things is None else next(outside(things), None)
    if forbidden:
        raise TemplateSyntaxError(f"it uses {forbidden}", 1)
    return environment.from_string(tree)


def fill(source: str, values: Mapping[str, object], *, html: bool) -> str:
    """Return the rendered source; raises what Jinja2 does, and ValueError above the maximum size.

    In HTML, filled-in values are between the marks of `letters.shape`.
    """
    return template(source, html=html).render(values)


def _joined(pieces: Iterable[str]) -> str:
    """Join the pieces of a letter, a few at a time, so that it never grows far beyond the maximum size."""
    waiting, found = iter(pieces), ""
    while some := list(islice(waiting, PIECES_AT_A_TIME)):
        found = "".join((found, *some))
        if len(found) > MOST_LETTER_CHARS:
            raise ValueError(f"it grows past {MOST_LETTER_CHARS:,} characters")
    return found


def _as_words(value: object) -> object:
    """Return a value as a reader expects it: 72.0 as 72, true as "yes", a list as "one, two"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 2)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return value


def _money(amount: object) -> str:
    """Return an amount in whole dollars: 48500 as $48,500."""
    return f"${float(str(amount)):,.0f}"


def _pluralize(number: object, endings: str = "s") -> str:
    """Return the ending of a word for this number: "" and "s", or two separated by a comma, as in "y,ies"."""
    one, _, many = endings.rpartition(",")
    return one if float(str(number)) == 1 else many


def _is_known(value: object) -> bool:
    """Say whether a name has a value: 0 and no are values, None and an empty text are not."""
    return not isinstance(value, Undefined) and value not in (None, "")


def _marked_words(value: object) -> object:
    return marked(_as_words(value))


def _environment(*, html: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, autoescape=html, finalize=_marked_words if html else _as_words, keep_trailing_newline=True
    )
    environment.concat = _joined  # type: ignore[method-assign]
    environment.globals.clear()
    environment.filters |= {"money": _money, "pluralize": _pluralize}
    environment.tests["known"] = _is_known
    environment.filters = _only(environment.filters, FILTERS)
    environment.tests = _only(environment.tests, TESTS)
    return environment


def _only(things: dict[str, _Thing], names: Iterable[str]) -> dict[str, _Thing]:
    return {name: things[name] for name in names}


_HTML = _environment(html=True)
PLAIN = _environment(html=False)
