"""Plain output: strangers' text without control characters, and JSON alone with `--json`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print only JSON.")

# Control characters except line ends (C0, DEL, C1), direction overrides and invisible ones; joiners stay.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def printable(text: str) -> str:
    """Return a text with control characters escaped, which means the same in JSON."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str, *, err: bool = False) -> None:
    """Print a line without control characters, to standard error if `err` is set."""
    click.echo(printable(text), err=err)


@contextmanager
def said_plainly(*faults: type[Exception]) -> Iterator[None]:
    """End the command with 1 and the words of such a fault, in place of a traceback."""
    try:
        yield
    except faults as fault:
        raise click.ClickException(str(fault)) from None
