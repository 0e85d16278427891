"""The environment as people and platforms write it: one rule for the values of all settings.

`docker --env-file` keeps quotes and blanks, Compose and dotenv take them away, Coolify adds its own, a console's paste
brings line ends and characters without a shape. Whatever stands around a value is taken away; within it nothing is
changed, and what cannot be meant is refused. A `$` is a `$`: nothing is put in its place.
"""

import os
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

QUOTES = "\"'"
# What no eye sees: zero-width characters and the mark at the head of a file count as blanks.
AROUND = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"
# Texts that people read: a name may begin or end with a quote, and some scripts need characters without a shape.
TEXTS = frozenset({"COMPANY_NAME", "COMPANY_ADDRESS", "FROM_EMAIL", "REPLY_TO"})
CONTROLS, SHAPELESS = frozenset({"Cc", "Zl", "Zp"}), frozenset({"Cf"})


def fill(names: Iterable[str], file: Path | None = None) -> dict[str, str]:
    """Put the settings of a `.env` file and of the environment into the environment, as `plain` reads them.

    The environment goes before the file; an empty value counts as none. Returns what is wrong, by the setting's name.
    """
    given = {**read_file(file), **os.environ} if file else dict(os.environ)
    faults = {}
    for name in sorted({*names} & {*given}):
        value = plain(given[name])
        if fault := unusable(name, value):
            faults[name] = fault
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)
    return faults


def find_file(start: Path = Path(__file__).parent) -> Path | None:
    """Return the nearest `.env` beside the program or above it; None where there is none."""
    return next((found for folder in (start, *start.parents) if (found := folder / ".env").is_file()), None)


def read_file(file: Path) -> dict[str, str]:
    """Return what a `.env` file says, with every `$` as it stands there."""
    return {name: value or "" for name, value in dotenv_values(file, interpolate=False).items()}


def plain(value: str) -> str:
    """Return a value without the blanks, line ends and the pair of quotes around it. Safe to repeat."""
    bare = value.strip(AROUND)
    quote = bare[:1]
    if len(bare) > 1 and quote in QUOTES and bare[-1] == quote and quote not in bare[1:-1]:
        return bare[1:-1].strip(AROUND)
    return bare


def plain_values(given: Mapping[str, str]) -> dict[str, str]:
    """Return a mapping with every value as `plain` reads it."""
    return {name: plain(value) for name, value in given.items()}


def unusable(name: str, value: str) -> str | None:
    """Return why a value cannot be what was meant, without showing it; None where it can."""
    refused = CONTROLS if name in TEXTS else CONTROLS | SHAPELESS
    for place, character in enumerate(value, start=1):
        several_lines = name == "COMPANY_ADDRESS" and character in "\r\n"
        if unicodedata.category(character) in refused and not several_lines:
            return (
                f"has a line break or an invisible character (U+{ord(character):04X}) at place {place}: write it anew."
            )
    if name not in TEXTS and value and _half_quoted(value):
        return "begins or ends with a quote that has no partner: take it away."
    return None


def _half_quoted(value: str) -> bool:
    return any(value.count(quote) == 1 and quote in (value[0], value[-1]) for quote in QUOTES)
