"""The command line of this repository's programs: numbers in order, words as switches, and --help."""

import argparse
from collections.abc import Sequence
from typing import Any

from jobs.command_line import help_parser

Number = int | float | str
# A list takes all that are left.
Default = Number | list[int]


def command_line(
    doc: str | None, words: Sequence[str] = (), arguments: Sequence[str] | None = None, **defaults: Default
) -> dict[str, Any]:
    """Return what a program was given under each name, and whether each of the words is among it.

    `--help` tells its docstring and ends it with 0, and what it does not know ends it with 2.
    """
    usage = " ".join(["%(prog)s", *(_shown(*each) for each in defaults.items()), *(f"[{word}]" for word in words)])
    parser = help_parser(doc, usage)
    parser.add_argument("given", nargs="*", help=argparse.SUPPRESS)
    found: list[str] = parser.parse_args(arguments).given
    rest = [text for text in found if text not in words]
    try:
        values = _values(defaults, rest)
    except ValueError:
        parser.error(f"{' '.join(rest)}: that is not what it takes")
    return values | {word: word in found for word in words}


def _values(defaults: dict[str, Default], given: Sequence[str]) -> dict[str, Any]:
    left, values = list(given), dict[str, Any]()
    for name, default in defaults.items():
        if isinstance(default, list):
            values[name], left = [int(text) for text in left] or default, []
        else:
            values[name] = _as(default, left.pop(0)) if left else default
    if left:
        raise ValueError
    return values


def _as(default: Default, text: str) -> Number:
    return int(text) if isinstance(default, int) else float(text) if isinstance(default, float) else text


def _shown(name: str, default: Default) -> str:
    if isinstance(default, list):
        return f"[{name.upper()}…={' '.join(map(str, default))}]"
    return f"[{name.upper()}={default}]" if default != "" else f"[{name.upper()}]"
