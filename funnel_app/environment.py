"""Settings as people and platforms write them, and which values nobody can have meant: one rule for all.

`docker --env-file` keeps quotes and blanks, Compose and dotenv remove them, Coolify adds its own, and pasting adds line
ends and invisible characters. Whatever surrounds a value is removed; nothing inside it changes, and obvious mistakes
are rejected. A `$` stays a `$`: nothing is expanded.
"""

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

QUOTES = "\"'"
# Invisible characters: zero-width ones and a byte order mark count as blanks.
AROUND = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"
# Texts for people: a name may begin or end with a quote, and some scripts need zero-width characters.
TEXTS = frozenset({"COMPANY_NAME", "COMPANY_ADDRESS", "FROM_EMAIL", "REPLY_TO"})
CONTROLS, SHAPELESS = frozenset({"Cc", "Zl", "Zp"}), frozenset({"Cf"})
# Unexpanded variables, and a placeholder to fill in.
REFERENCES = (r"\$\{[^{}]*\}", r"\$\([^()]*\)", r"\{\{[^{}]*\}\}", r"\$[A-Z_][A-Z0-9_]*")
UNFILLED, BLANK_FORM = re.compile("|".join(REFERENCES)), re.compile("<[^<>]*>")
# Quotes that no platform removes: typographic ones, Markdown's, and escaped ones from JSON.
OTHER_QUOTES = ("`", "\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u00ab", "\u00bb", '\\"', "\\'")
CUT_OFF = "has a # in it, and all behind that counts as a comment: put the whole value in quotes."


class NotReadable(OSError):
    """A settings file cannot be read; the message names it, and says why."""


def fill(names: Collection[str], file: Path | None = None) -> dict[str, str]:
    """Put the settings of a `.env` file and the environment into the environment, normalised by `plain`.

    The environment wins; an empty value counts as unset. Returns the faults by setting name; raises NotReadable.
    """
    told = _without_flasks(file) if file else os.environ
    given = {**read_file(file), **told} if file else dict(told)
    cut = {name for name in (cut_off(file) if file else ()) if name not in told}
    values = {name: plain(given[name]) for name in names if name in given}
    for name, value in values.items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)
    return {**faults_in(values, cut), **(_unread(file) if file else {})}


def _without_flasks(file: Path) -> dict[str, str]:
    """Return the environment without what the `flask` command put there of this file: it expands `$`, unasked.

    https://flask.palletsprojects.com/en/stable/cli/#environment-variables-from-dotenv
    """
    expanded = dotenv_values(stream=StringIO(text_of(file)))
    return {name: value for name, value in os.environ.items() if name not in expanded or value != expanded[name]}


def faults_in(values: Mapping[str, str], cut: Collection[str]) -> dict[str, str]:
    """Return the faults of these values by name; `cut` are values that a `#` truncated."""
    odd = {name: why for name, value in sorted(values.items()) if (why := unusable(name, value))}
    return {**odd, **{name: CUT_OFF for name in sorted(cut) if name in values}}


def find_file() -> Path | None:
    """Return the nearest `.env` beside the program or above it; None if there is none."""
    return next((found for folder in Path(__file__).parents if (found := folder / ".env").is_file()), None)


def read_file(file: Path) -> dict[str, str]:
    """Return the values of a `.env` file, without expanding `$`; NotReadable if it is no text in UTF-8."""
    return {
        name: value or "" for name, value in dotenv_values(stream=StringIO(text_of(file)), interpolate=False).items()
    }


def text_of(file: Path) -> str:
    """Return the text of a settings file; NotReadable if there is none in UTF-8."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise NotReadable(f"{file} is not in UTF-8: save it as that.") from None
    except OSError as fault:
        raise NotReadable(f"{file} cannot be read: {fault.strerror}.") from None


def cut_off(file: Path) -> Iterator[str]:
    """Yield values in a `.env` file truncated by an unquoted `#`: `1 Market Street #4`."""
    for found in parse_stream(StringIO(text_of(file))):
        written = found.original.string.partition("=")[2].strip()
        if found.key in {*TEXTS, "CONSOLE_PASSWORD"} and written[:1] not in QUOTES and re.search(r"\s#\S", written):
            yield str(found.key)


def _unread(file: Path) -> dict[str, str]:
    """Return the lines of a `.env` file that dotenv skips as unreadable; their settings would be lost."""
    spoiled = [found.original for found in parse_stream(StringIO(text_of(file))) if found.error]
    if not spoiled:
        return {}
    # Leading blank lines belong to the binding.
    lines = [str(each.line + len(each.string) - len(each.string.lstrip("\n"))) for each in spoiled]
    return {file.name: f"cannot be read at line {', '.join(lines)}: write NAME=value, with quotes in pairs or none."}


def plain(value: str) -> str:
    """Return a value without surrounding blanks, line ends and pairs of quotes. Safe to repeat."""
    bare = value.strip(AROUND)
    while len(bare) > 1 and bare[0] in QUOTES and bare[-1] == bare[0] and bare[0] not in bare[1:-1]:
        bare = bare[1:-1].strip(AROUND)
    # `flask setup` writes a text with both kinds of quotes like this, and Docker keeps it.
    if re.fullmatch(r'"(?:[^"\\]|\\.)*"', bare):
        bare = re.sub(r"\\(.)", r"\1", bare[1:-1])
    return bare


def plain_values(given: Mapping[str, str]) -> dict[str, str]:
    """Return a mapping with every value normalised by `plain`."""
    return {name: plain(value) for name, value in given.items()}


def unusable(name: str, value: str) -> str | None:
    """Return why a value cannot be intended, without showing it; None if it can."""
    refused = CONTROLS if name in TEXTS else CONTROLS | SHAPELESS
    for place, character in enumerate(value, start=1):
        several_lines = name == "COMPANY_ADDRESS" and character in "\r\n"
        if unicodedata.category(character) in refused and not several_lines:
            return (
                f"has a line break or an invisible character (U+{ord(character):04X}) at place {place}: write it again."
            )
    if UNFILLED.fullmatch(value) or (name not in TEXTS and BLANK_FORM.fullmatch(value)):
        return "stands for another value, and nothing is put in its place here: write the value itself."
    return _why_odd(value) if value and name not in TEXTS else None


def _why_odd(value: str) -> str | None:
    if _half_quoted(value):
        return "begins or ends with a quote that has no partner: take it away."
    if value.startswith(OTHER_QUOTES) and value.endswith(OTHER_QUOTES):
        return "stands in quotes that nobody takes away: take them away."
    if value.endswith("\\n"):
        return "ends with \\n, written out: take it away."
    if re.search(r"\s#", value):
        return "has a blank and a # in it, which reads as a comment in some places: put that on a line of its own."
    return None


def _half_quoted(value: str) -> bool:
    return any(value.count(quote) == 1 and quote in (value[0], value[-1]) for quote in QUOTES)
