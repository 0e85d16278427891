"""Every file of the product with the first sentence of what it says of itself, room by room."""

import ast
from itertools import groupby
from pathlib import Path

from docs.markdown import markdown

ROOT = Path(__file__).parents[1]


def files() -> str:
    """Return for each room of the product and of its processes what it is for, and a table of its files."""
    paths = (path for top in ("funnel_app", "jobs") for path in (ROOT / top).rglob("*.py"))
    words = {path: said for path in paths if (said := _says(path))}
    rooms = groupby(sorted(words, key=lambda path: (path.parent, path.name)), key=lambda path: path.parent)
    return "\n".join(_room(room, {path.name: words[path] for path in group}) for room, group in rooms)


def _room(room: Path, words: dict[str, str]) -> str:
    for_what = words.pop("__init__.py")
    table = markdown(("file", "what it is for"), [(f"`{name}`", said) for name, said in words.items()])
    return f"## {room.relative_to(ROOT)}\n\n{for_what}\n\n{table}"


def _says(path: Path) -> str:
    words = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(words.partition("\n\n")[0].split())
