"""What people type, or what their machines type for them, made fit to be kept and to be put into a letter.

One rule for forms and calendars: what cannot be used is corrected, cut, or left out, and never costs a lead.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from funnel_app.rules.caller import address_of

LONGEST_TRACKING = 255
# Characters that are not seen but change what is: controls, halves of pairs, line separators, overrides of direction.
UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
WITHOUT_WIDTH = frozenset("\u00ad\u200b\u200e\u200f\u2060\ufeff") | OVERRIDES
LINES = frozenset("\n\r\t")
# What programs write where they have nothing, and what they forgot to fill in.
NOTHING = frozenset({"undefined", "null", "none", "nan", "[object object]", "n/a", "(null)", "nil"})
UNFILLED = (("{{", "}}"), ("*|", "|*"), ("[[", "]]"), ("${", "}"), ("<%", "%>"), ("%%", "%%"), ("{%", "%}"))
# The field's own name, in any brackets: "[solidcore]" is a studio.
FIELDS_NAME = re.compile(
    r"[\[{<%(*]* ?(?:(?:contact|lead|user|person)[ ._])?(?:your|first|last|full|business|company|f|l)[ ._]?name"
    r" ?[\]}>%)*]*"
)
# Names that a machine has for its own clock, or for none, and that say nothing of where a person lives.
NO_ZONES = frozenset({"localtime", "factory", "posixrules", "etc/unknown"})


def clean(value: object, longest: int, kept: frozenset[str] = frozenset()) -> str | None:
    """Return a text on one line without anything unseen, cut to whole words that fit; None where nothing is said.

    `kept` are the characters between its lines that stay.
    """
    if not isinstance(value, str):
        return None
    text = visible(value[: 4 * longest], kept)
    text = text.strip() if kept else " ".join(text.split())
    return None if says_nothing(text) else cut(text, longest)


def visible(text: str, kept: frozenset[str] = frozenset()) -> str:
    """Return a text without what is not seen; `kept` are the characters between its lines that stay."""
    # What Python calls printable has nothing unseen in it: https://docs.python.org/3.11/library/stdtypes.html#str.isprintable
    return text if text.isprintable() else "".join(sign if sign in kept else _seen(sign) for sign in text)


def _seen(sign: str) -> str:
    if sign in WITHOUT_WIDTH:
        return ""
    return " " if unicodedata.category(sign) in UNSEEN else sign


def says_nothing(text: str) -> bool:
    """Say whether a text is no more than a program's word for nothing, an unfilled place, or signs alone."""
    bare = text.strip().casefold()
    if bare in NOTHING or FIELDS_NAME.fullmatch(bare):
        return True
    if bare[:1].isalnum():
        return False
    unfilled = any(bare.startswith(begin) and bare.endswith(end) for begin, end in UNFILLED)
    return unfilled or not any(map(str.isalnum, bare))


def cut(text: str, longest: int) -> str | None:
    """Return as many whole words of a text as fit; None where not even the first does."""
    if len(text) <= longest:
        return text
    words, _, _ = text[: longest + 1].rpartition(" ")
    return words.rstrip() or None


def zone_of(value: object) -> str | None:
    """Return the name of a time zone as the world writes it, whatever its letters; None for what is none."""
    return _zones().get(value.strip().lower()) if isinstance(value, str) else None


@cache
def _zones() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones() if name.lower() not in NO_ZONES}


def tracking_of(value: object) -> str | None:
    """Return where a visitor came from, from one value or the first of several; None where nothing is said."""
    if isinstance(value, list):
        value = next((each for each in value if each not in (None, "")), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = visible(str(value)[: 4 * LONGEST_TRACKING]).strip()
    return text[:LONGEST_TRACKING] or None


def ip_of(value: object) -> str | None:
    """Return the IP address of a visitor, out of whatever a proxy made of it; None for what is none.

    Of several the first is the visitor's own (X-Forwarded-For), and a port is no part of it. An address with a zone
    (RFC 4007) means something on one machine alone, and whatever else stands beside one makes it none.
    """
    address = address_of(value[:255].split(",")[0].strip()) if isinstance(value, str) else None
    if address is None or getattr(address, "scope_id", None) is not None:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
