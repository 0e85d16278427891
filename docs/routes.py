"""Who may call what, read from the application itself: its routes, and the guards that stand before them."""

import ast
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

GUARDS = Path(__file__).parents[1] / "tests" / "test_guards.py"
NO_PROOF = "require_json"
CONSOLE = "/console/"
ANYBODY = "Let anybody through"


def callers(app: Flask) -> list[tuple[str, str]]:
    """Return each proof with the routes that it opens, then each open route with the reason why it is open."""
    opened: dict[str, list[str]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        opened.setdefault(_who(app, rule), []).append(_shown(rule))
    closed_first = sorted(opened.items(), key=lambda row: row[0].startswith(ANYBODY))
    return [(who, ", ".join(dict.fromkeys(routes))) for who, routes in closed_first]


@cache
def open_to_all() -> Mapping[str, str]:
    """Return the endpoints that need no proof, with the reasons, as the guard test lists them."""
    for node in ast.parse(GUARDS.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPEN_TO_ALL":
            found: dict[str, str] = ast.literal_eval(node.value)
            return found
    raise LookupError(f"{GUARDS} has no OPEN_TO_ALL")


def _who(app: Flask, rule: Rule) -> str:
    reason = open_to_all().get(rule.endpoint)
    if reason:
        return f"{ANYBODY}: {reason}"
    # The console's guard stands before the whole application, since other people's pages are shown there too.
    blueprint = None if rule.rule.startswith(CONSOLE) else rule.endpoint.rpartition(".")[0]
    guards = [guard for guard in app.before_request_funcs.get(blueprint, []) if _is_proof(guard)]
    # A view that has no guard before it asks for its proof itself, and says so: the guard test has called it.
    return "; ".join(_said(guard) for guard in guards or [app.view_functions[rule.endpoint]])


def _is_proof(guard: Callable[..., object]) -> bool:
    return guard.__name__.startswith("require_") and guard.__name__ != NO_PROOF


def _said(function: Callable[..., object]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _shown(rule: Rule) -> str:
    if rule.rule.startswith(CONSOLE) and rule.endpoint not in open_to_all():
        return "everything else under `/console/`"
    methods = " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
    return f"`{methods} {rule.rule}`"
