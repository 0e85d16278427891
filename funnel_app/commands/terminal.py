"""Terminal output: strangers' text without control characters."""

import re
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.segment import Segment

# Control characters except line ends (C0, DEL, C1), direction overrides and invisible ones; joiners stay.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def printable(text: str) -> str:
    """Return a text with control characters escaped, which means the same in JSON."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str, *, err: bool = False) -> None:
    """Print a line without control characters, to standard error if `err` is set."""
    click.echo(printable(text), err=err)


class Terminal(Console):
    """A terminal that escapes control characters in every cell, title and word."""

    def render(self, renderable: RenderableType, options: Any = None) -> Iterable[Segment]:
        """Yield the segments to print, each with control characters escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def pass_on(self, text: str) -> None:
        """Print what this terminal rendered before, with its colours."""
        click.echo(text, nl=False)
