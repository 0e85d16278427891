"""The table of settings, read from where the code reads them."""

import ast
from collections.abc import Mapping
from pathlib import Path

from docs.markdown import markdown
from funnel_app import config
from funnel_app.config import MEANINGS


def settings() -> str:
    """Return every setting, with its default as the code reads it."""
    defaults = default_settings()
    rows = [
        (f"`{name}`", "**required**" if default is None else f"`{default}`" if default else "none", MEANINGS[name])
        for name, default in defaults.items()
    ]
    return markdown(("setting", "default", "what it is"), rows)


def default_settings() -> Mapping[str, str | None]:
    """Return the settings in the order in which they are read; None for one that has no default."""
    tree = ast.parse(Path(config.__file__).read_text("utf-8"))
    reads = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _reads_environment(node.func)]
    found: dict[str, str | None] = {}
    for call in sorted(reads, key=lambda node: node.lineno):
        name, *default = [ast.literal_eval(argument) for argument in call.args]
        found[str(name)] = str(default[0]) if default else None
    return found


def _reads_environment(called: ast.expr) -> bool:
    known = {"str", "int", "float", "bool"}
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and (
        called.value.id == "env" and called.attr in known
    )  # fmt: skip
