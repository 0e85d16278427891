"""Write a `.env` file: set some of its values, leave the rest, for its owner only; environment.py reads one."""

import os
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from itertools import count
from pathlib import Path

from dotenv.parser import parse_stream

from funnel_app.environment import QUOTES, text_of

HEAD = "# Made by flask setup. It holds secrets: it is for its owner alone.\n"


def write(file: Path, values: Mapping[str, str]) -> None:
    """Set these values in a file, created if missing; the rest stays. Safe to repeat."""
    _put(file, "".join(_lines(file, values)))


def keep_copy(file: Path) -> Path:
    """Copy a file to one beside it, readable by its owner only; return the copy. Earlier copies stay."""
    text = text_of(file)
    copy = next(each for each in _copies(file) if not each.exists() or text_of(each) == text)
    _put(copy, text)
    return copy


def _copies(file: Path) -> Iterator[Path]:
    first = f"{file.name}.before"
    yield from (file.with_name(first if number == 1 else f"{first}-{number}") for number in count(1))


def _put(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    new.replace(file)


def _lines(file: Path, values: Mapping[str, str]) -> Iterator[str]:
    left = dict(values)
    if not file.exists():
        yield HEAD
    else:
        for found in parse_stream(StringIO(text_of(file))):
            was = found.original.string
            if found.key in left and found.value != left[found.key]:
                yield f"{found.key}={_quoted(left.pop(found.key))}\n"
            else:
                left.pop(found.key or "", None)
                yield was if was.endswith("\n") else f"{was}\n"
    yield from (f"{name}={_quoted(value)}\n" for name, value in left.items())


def _quoted(value: str) -> str:
    """Return a value as every reader of such files takes it: in quotes where it holds more than plain signs.

    What no kind of quotes holds as it is stands without any; where it needs them all the same, they are escaped in it.
    """
    if value.isascii() and not set(value) & set(" \n#$'\"\\`"):
        return value
    if not set(value) & set("'\\"):
        return f"'{value}'"
    if not set(value) & set('"$\\`'):
        return f'"{value}"'
    if value[0] not in QUOTES and not re.search(r"\s#|\n", value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
