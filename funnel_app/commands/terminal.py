"""What a terminal may be told: text of strangers without what it would obey."""

import re
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.segment import Segment

# Controls but the line's end (Unicode's C0, DEL, C1), and what turns letters around or hides itself; joiners stay.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def printable(text: str) -> str:
    """Return a text in which whatever a terminal obeys stands as its escape, which in JSON means the same."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str, *, err: bool = False) -> None:
    """Print a line on a terminal, to its standard error where `err` says so; whoever typed it commands nothing."""
    click.echo(printable(text), err=err)


class Terminal(Console):
    """A terminal on which no cell, title or word is more than text."""

    def render(self, renderable: RenderableType, options: Any = None) -> Iterable[Segment]:
        """Yield what is to be printed, each text of it printable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def pass_on(self, text: str) -> None:
        """Print what this terminal rendered before, with its own colours."""
        click.echo(text, nl=False)
