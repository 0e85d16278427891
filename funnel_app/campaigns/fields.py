"""Read the values of a campaign file, collecting every fault with its place instead of stopping at the first."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from funnel_app.campaigns.model import AtMost, Window

Kind = TypeVar("Kind", bound=StrEnum)
Value = TypeVar("Value")

DURATION = re.compile(r"(\d{1,5})(m|h|d)")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
NAME = re.compile(r"[a-z][a-z0-9_]*")
DEADLINE = re.compile(r"(\d{2})-(\d{2})")
AT_MOST = re.compile(r"(\d{1,3}) per (\d{1,5}[mhd])")
LONGEST_SPAN = timedelta(days=31)
LONGEST_TITLE = 120
# The longest span that date arithmetic accepts.
MOST = 1_000_000
WHOLE = "a whole number from 0 to 1,000,000"
# How similar a misspelt key must be to the key that was meant.
ALIKE = 0.75
WINDOW = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")


class CampaignError(Exception):
    """Campaign files that cannot be used; `faults` holds one sentence for each fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The campaign files cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


class Fault(NamedTuple):
    """A fault at a place in a file, and the place, if any, whose faults only follow from it."""

    at: str
    words: str
    explains: str = ""

    def __str__(self) -> str:
        return f"{self.at.removesuffix('.')}: {self.words}"


@dataclass(frozen=True)
class Table:
    """One table of a file: its values, its place, and the list that collects faults."""

    values: Mapping[str, Any]
    place: str
    faults: list[Fault]

    def fault(self, key: str, words: str, explains: str = "") -> None:
        """Record a fault of a key, unless it only follows from one already recorded.

        `explains` is the place whose faults would follow from it: another key, or a table of this one with its dot.
        """
        at = f"{self.place}{key}"
        if not any((key and fault.at == at) or fault.explains in {at, self.place} for fault in self.faults):
            self.faults.append(Fault(at, words, f"{self.place}{explains}" if explains else ""))

    def only(self, allowed: Iterable[str]) -> None:
        """Record every unknown key: a misspelt one must not be silently ignored."""
        left = [key for key in allowed if key not in self.values]
        for key in sorted(set(self.values) - set(allowed)):
            near = difflib.get_close_matches(key, left, n=1, cutoff=ALIKE)
            if near:
                self.fault(key, f"is not a known key; did you mean {near[0]}?", explains=near[0])
            else:
                self.fault(key, "is not a known key")

    def table(self, key: str) -> "Table":
        """Return the table under a key; empty if it is missing or of another type."""
        found = self.values.get(key, {})
        if not isinstance(found, dict):
            self.fault(key, "must be a table", explains=f"{key}.")
            found = {}
        return Table(found, f"{self.place}{key}.", self.faults)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; required without a default."""
        return self._typed(key, str, default, "a text") or ""

    def title(self, key: str, default: str) -> str:
        """Return a title: one line, short enough for a heading and a chat."""
        found = self.text(key, default)
        if len(found) > LONGEST_TITLE or not found.isprintable():
            self.fault(key, f"must be one line of at most {LONGEST_TITLE} characters")
            return default
        return found

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number from 0 to a million; required without a default."""
        found = self._typed(key, int, default, WHOLE)
        if found is None or isinstance(found, bool) or not 0 <= found <= MOST:
            if key in self.values:
                self.fault(key, f"must be {WHOLE}")
            return 0
        return found

    def flag(self, key: str) -> bool:
        """Return a boolean; false if missing."""
        return bool(self._typed(key, bool, False, "true or false"))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty if missing."""
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self.fault(key, "must be a list of texts")
            return ()
        return tuple(found)

    def choice(self, key: str, kind: type[Kind], default: Kind) -> Kind:
        """Return a member of an enum; the default if missing or invalid."""
        found = self.values.get(key, default.value)
        try:
            return kind(found)
        except ValueError:
            self.fault(key, f"{found!r} is none of {', '.join(kind)}")
            return default

    def read(self, key: str, reader: Callable[[str], Value], default: Value) -> Value:
        """Return what a parser makes of a text; the default if missing or invalid."""
        found = self.values.get(key)
        if found is None:
            return default
        try:
            return reader(str(found))
        except ValueError as error:
            self.fault(key, str(error))
            return default

    def _typed(self, key: str, wanted: type[Value], default: Value | None, words: str) -> Value | None:
        found = self.values.get(key, default)
        if found is None:
            self.fault(key, "is missing")
        elif not isinstance(found, wanted):
            self.fault(key, f"must be {words}")
            return default
        return cast(Value, found)


def duration(text: str) -> timedelta:
    """Parse "5m", "24h" or "3d"."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration such as 5m, 24h or 3d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def deadline(text: str) -> tuple[int, int]:
    """Parse "12-05" as month and day."""
    found = DEADLINE.fullmatch(text)
    month, day = (int(found[1]), int(found[2])) if found else (0, 0)
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    if not 1 <= month <= 12 or not 1 <= day <= longest.get(month, 31):
        raise ValueError(f"{text!r} is not a month and day such as 12-05")
    return month, day


def window(text: str) -> Window:
    """Parse "08:00-20:00"."""
    found = WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a window such as 08:00-20:00")
    opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if opens >= closes:
        raise ValueError(f"{text!r} closes before it opens")
    return Window(opens, closes)


def at_most(text: str) -> AtMost:
    """Parse "1 per 20h"."""
    found = AT_MOST.fullmatch(text)
    emails, span = (int(found[1]), duration(found[2])) if found else (0, timedelta(0))
    if not emails or not timedelta(0) < span <= LONGEST_SPAN:
        raise ValueError(f"{text!r} is not a limit such as 1 per 20h, of 31 days at most")
    return AtMost(emails, span)


def link(text: str) -> str:
    """Parse an https address; empty is allowed."""
    if text and (urlsplit(text).scheme != "https" or not urlsplit(text).netloc):
        raise ValueError(f"{text!r} is not an https address")
    return text


def own_link(text: str) -> str:
    """Parse an https address or a path that Funnel itself serves; empty is allowed."""
    return text if text.startswith("/") and not text.startswith("//") else link(text)


def zone(text: str) -> str:
    """Parse the name of a time zone."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is not a time zone such as America/Toronto") from None
    return text


def name(text: str) -> str:
    """Parse a name: lower-case letters, digits and underscores."""
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name of small letters, digits and underscores")
    return text


def uuid(text: str) -> UUID:
    """Parse a UUID."""
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a UUID") from None
