"""Template language: its nodes, filters, tests, and limits.

Workers render every letter, so no construct may take more time or memory than its own length and that of its values.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from jinja2 import nodes

MOST_DEPTH = 60
MOST_PLACES = 6
LONGEST_GLUE = 20

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Filter, nodes.Keyword, nodes.If, nodes.Test),
    *(nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg),
    *(nodes.Const, nodes.List, nodes.Tuple),
)
_CALLED = {
    nodes.For: "a loop ({% for %})",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Macro: "{% macro %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% import %}",
    nodes.Extends: "{% extends %}",
    nodes.Block: "{% block %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.Getattr: "a dot within a name",
    nodes.Getitem: "square brackets after a name",
    nodes.Call: "a call, that is brackets after a name",
    nodes.Dict: "a third brace, or { } within a tag",
    nodes.Pair: "a third brace, or { } within a tag",
    nodes.BinExpr: "arithmetic",
    nodes.Concat: "the sign ~",
}


class Argument(NamedTuple):
    """An argument of a filter: its name in Jinja2, what it must be, and a check of the node."""

    name: str
    meaning: str
    fits: Callable[[nodes.Expr], bool]


def _whole(most: int) -> Callable[[nodes.Expr], bool]:
    return lambda node: _constant(node, int) and not isinstance(node.value, bool) and 0 <= node.value <= most  # type: ignore[attr-defined]


def _text(node: nodes.Expr) -> bool:
    return _constant(node, str) and len(node.value) <= LONGEST_GLUE  # type: ignore[attr-defined]


def _constant(node: nodes.Expr, kind: type) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, kind)


_GLUE = f"a text in quotes of at most {LONGEST_GLUE} characters"
FILTERS: dict[str, tuple[Argument, ...]] = {
    "default": (
        Argument("default_value", "anything", lambda _: True),
        Argument("boolean", "true or false", lambda node: _constant(node, bool)),
    ),
    "upper": (),
    "lower": (),
    "title": (),
    "capitalize": (),
    "round": (
        Argument("precision", f"a number from 0 to {MOST_PLACES}", _whole(MOST_PLACES)),
        Argument(
            "method",
            '"common", "ceil" or "floor"',
            lambda node: _text(node) and node.value in ("common", "ceil", "floor"),  # type: ignore[attr-defined]
        ),
    ),
    "int": (Argument("default", "a number", _whole(1_000_000)),),
    "join": (Argument("d", _GLUE, _text),),
    "trim": (Argument("chars", _GLUE, _text),),
    "length": (),
    "money": (),
    "urlencode": (),
    "pluralize": (Argument("endings", _GLUE, _text),),
}
TESTS = ("defined", "known")
TOO_DEEP = f"more than {MOST_DEPTH} things within each other"


def outside(things: Iterable[nodes.Node]) -> Iterator[str]:
    """Yield what of a tree is outside the language, in words for the template's owner."""
    return filter(None, map(_outside, things))


def all_of(tree: nodes.Node) -> list[nodes.Node] | None:
    """Return all that is in a tree, in order; None if it is nested too deep, which is found out without recursion."""
    waiting, found = [(tree, 0)], []
    while waiting:
        node, depth = waiting.pop()
        if depth > MOST_DEPTH:
            return None
        found.append(node)
        waiting += [(child, depth + 1) for child in reversed(list(node.iter_child_nodes()))]
    return found[1:]


def _outside(node: nodes.Node) -> str | None:
    """Return the name of a node outside the language, else None."""
    if isinstance(node, nodes.Filter):
        return _filter(node)
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f'the test "is {node.name}" (there are: {", ".join(f"is {test}" for test in TESTS)})'
    if isinstance(node, nodes.CondExpr) and node.expr2 is None:
        return 'an "if" within {{ }} that has no "else"'
    if isinstance(node, nodes.Const) and isinstance(node.value, float) and not math.isfinite(node.value):
        return "a number that is too large"
    if isinstance(node, _ALLOWED):
        return None
    names = (name for kind, name in _CALLED.items() if isinstance(node, kind))
    return next(names, f'"{type(node).__name__}"')


def _filter(node: nodes.Filter) -> str | None:
    if node.name not in FILTERS:
        return f'the filter "{node.name}" (there are: {", ".join(FILTERS)})'
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return f'the filter "{node.name}" with a star'
    if node.name == "join" and node.node and any(each.name == "join" for each in _filters(node.node)):
        return 'the filter "join" twice in one tag'
    return next(_misfits(node), None)


def _filters(node: nodes.Node) -> list[nodes.Filter]:
    return [*([node] if isinstance(node, nodes.Filter) else ()), *node.find_all(nodes.Filter)]


def _misfits(node: nodes.Filter) -> Iterator[str]:
    """Yield what is wrong with a filter's arguments, positional or named."""
    arguments = FILTERS[node.name]
    by_name = {argument.name: argument for argument in arguments}
    given = [*zip(arguments, node.args, strict=False), *((by_name.get(str(k.key)), k.value) for k in node.kwargs)]
    if len(node.args) > len(arguments) or any(argument is None for argument, _ in given):
        yield f'the filter "{node.name}" with an argument that it does not have'
    for argument, value in given:
        if argument is not None and not argument.fits(value):
            yield f'the filter "{node.name}" with something else than {argument.meaning}'
