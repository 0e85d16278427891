"""Typed text: make what people or their browsers enter fit to store and to put into a letter.

One rule for forms and calendars: unusable input is corrected, cut or dropped, and never costs a lead.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from funnel_app.rules.people.caller import address_of

LONGEST_TRACKING = 255
# Invisible characters that change text: controls, surrogates, line separators, direction overrides.
UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
WITHOUT_WIDTH = frozenset("\u00ad\u200b\u200e\u200f\u2060\ufeff") | OVERRIDES
LINES = frozenset("\n\r\t")
# Placeholders that programs write for a missing value, and unfilled template variables.
NOTHING = frozenset({"undefined", "null", "none", "nan", "[object object]", "n/a", "(null)", "nil"})
UNFILLED = (("{{", "}}"), ("*|", "|*"), ("[[", "]]"), ("${", "}"), ("<%", "%>"), ("%%", "%%"), ("{%", "%}"))
# The field's own name in brackets; "[solidcore]" is a real studio.
FIELDS_NAME = re.compile(
    r"[\[{<%(*]* ?(?:(?:contact|lead|user|person)[ ._])?(?:your|first|last|full|business|company|f|l)[ ._]?name"
    r" ?[\]}>%)*]*"
)
# Time zones that say nothing of where a person lives.
NO_ZONES = frozenset({"localtime", "factory", "posixrules", "etc/unknown"})


def clean(value: object, longest: int, kept: frozenset[str] = frozenset()) -> str | None:
    """Return a text on one line without invisible characters, cut to whole words that fit; None if nothing is left.

    `kept` are line-break characters that stay.
    """
    if not isinstance(value, str):
        return None
    text = visible(value[: 4 * longest], kept)
    text = text.strip() if kept else " ".join(text.split())
    return None if says_nothing(text) else cut(text, longest)


def visible(text: str, kept: frozenset[str] = frozenset()) -> str:
    """Return a text without invisible characters; `kept` are line-break characters that stay."""
    # A printable text holds nothing invisible: https://docs.python.org/3.11/library/stdtypes.html#str.isprintable
    return text if text.isprintable() else "".join(sign if sign in kept else _seen(sign) for sign in text)


def _seen(sign: str) -> str:
    if sign in WITHOUT_WIDTH:
        return ""
    return " " if unicodedata.category(sign) in UNSEEN else sign


def says_nothing(text: str) -> bool:
    """Say whether a text is a placeholder, an unfilled variable, or punctuation alone."""
    bare = text.strip().casefold()
    if bare in NOTHING or FIELDS_NAME.fullmatch(bare):
        return True
    if bare[:1].isalnum():
        return False
    unfilled = any(bare.startswith(begin) and bare.endswith(end) for begin, end in UNFILLED)
    return unfilled or not any(map(str.isalnum, bare))


def cut(text: str, longest: int) -> str | None:
    """Return as many whole words as fit; None if not even the first does."""
    if len(text) <= longest:
        return text
    words, _, _ = text[: longest + 1].rpartition(" ")
    return words.rstrip() or None


def zone_of(value: object) -> str | None:
    """Return a time zone's canonical name, ignoring case; None if it is not one."""
    return _zones().get(value.strip().lower()) if isinstance(value, str) else None


@cache
def _zones() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones() if name.lower() not in NO_ZONES}


def tracking_of(value: object) -> str | None:
    """Return a visitor's tracking value, or the first of several; None if it is empty."""
    if isinstance(value, list):
        value = next((each for each in value if each not in (None, "")), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = visible(str(value)[: 4 * LONGEST_TRACKING]).strip()
    return text[:LONGEST_TRACKING] or None


def ip_of(value: object) -> str | None:
    """Return the visitor's IP address from what a proxy forwarded; None if it is not one.

    Of several the first is the visitor's (X-Forwarded-For); a port is dropped. Zone ids (RFC 4007) and extra text make
    it invalid.
    """
    address = address_of(value[:255].split(",")[0].strip()) if isinstance(value, str) else None
    if address is None or getattr(address, "scope_id", None) is not None:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
