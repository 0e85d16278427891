"""Render: fill a template's parts with values."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import TemplateError, UndefinedError

from funnel_app.letters.engine import fill
from funnel_app.letters.shape import unmarked
from funnel_app.letters.words import one_line, printable, tidy

__all__ = ["LetterError", "MissingVariable", "Parts", "RenderFailed", "Rendered", "render"]

_FAULTS = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, NameError),
    *(RecursionError, SyntaxError, TypeError, ValueError),
)


class LetterError(Exception):
    """A letter cannot be made of this template and these values."""


class MissingVariable(LetterError):
    """The template uses a variable that nothing provides."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Nothing provides the variable "{name}".')
        self.name = name


class RenderFailed(LetterError):
    """The template cannot be filled in; the detail says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Parts:
    """The template sources of a letter's three parts."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """A letter's parts with every value in place; the subject is one line, and in the page each value is marked."""

    subject: str
    marked: str
    text: str

    @property
    def html(self) -> str:
        """The page as it goes out."""
        return unmarked(self.marked)


def render(parts: Parts, values: Mapping[str, object]) -> Rendered:
    """Render all parts; None counts as missing. Raises MissingVariable or RenderFailed."""
    given = {name: _plain(value) for name, value in values.items() if value is not None}
    rendered = Rendered(
        subject=one_line(_filled(parts.subject, given, html=False)),
        marked=_filled(parts.html, given, html=True),
        text=tidy(_filled(parts.text, given, html=False)),
    )
    _check(rendered, given)
    return rendered


def _plain(value: object) -> object:
    """Return texts without control characters, as plain str: Markup would escape twice."""
    return printable(str(value)) if isinstance(value, str) else value


def _filled(source: str, values: Mapping[str, object], *, html: bool) -> str:
    try:
        return fill(source, values, html=html)
    except UndefinedError as error:
        raise MissingVariable(error.message or "?") from error
    except _FAULTS as error:
        raise RenderFailed(f"The template cannot be filled in: {error}") from error


def _check(rendered: Rendered, values: Mapping[str, object]) -> None:
    """Raise RenderFailed for an embarrassing letter; braces may come from a value, which is not a tag."""
    if not rendered.subject:
        raise RenderFailed("The subject line is empty once its variables are filled in.")
    given = "".join(map(str, values.values()))
    if "{" in given or "}" in given:
        return
    for part in (rendered.subject, rendered.marked, rendered.text):
        if "{{" in part or "{%" in part:
            raise RenderFailed("A template tag remains after all variables are filled in.")
