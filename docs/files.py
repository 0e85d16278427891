"""Every file of the product with the first sentence of what it says of itself, room by room."""

import ast
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from docs.markdown import markdown

ROOT = Path(__file__).parents[1]


def files() -> str:
    """Return for each room of the product and of its processes what it is for, and a table of its files."""
    found = (path for top in ("funnel_app", "jobs") for path in (ROOT / top).rglob("*.py") if _says(path))
    rooms = groupby(sorted(found, key=lambda path: (path.parent, path.name)), key=lambda path: path.parent)
    return "\n".join(_room(room, list(paths)) for room, paths in rooms)


def _room(room: Path, paths: Iterable[Path]) -> str:
    rows = [(f"`{path.name}`", _says(path)) for path in paths if path.name != "__init__.py"]
    return (
        f"## {room.relative_to(ROOT)}\n\n{_says(room / '__init__.py')}\n\n{markdown(('file', 'what it is for'), rows)}"
    )


def _says(path: Path) -> str:
    words = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(words.partition("\n\n")[0].split())
