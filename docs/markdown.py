"""Tables in Markdown."""

from collections.abc import Iterable


def markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    heads = list(heads)
    return "".join(map(line, [heads, ["---"] * len(heads), *rows]))


def line(cells: Iterable[str]) -> str:
    """Return one line of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
