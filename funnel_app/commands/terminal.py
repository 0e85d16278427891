"""Terminal output with colours and tables: strangers' text without control characters."""

from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.segment import Segment

from funnel_app.commands.plain_text import printable


class Terminal(Console):
    """A terminal that escapes control characters in every cell, title and word."""

    def render(self, renderable: RenderableType, options: Any = None) -> Iterable[Segment]:
        """Yield the segments to print, each with control characters escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def pass_on(self, text: str) -> None:
        """Print what this terminal rendered before, with its colours."""
        click.echo(text, nl=False)
