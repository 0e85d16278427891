"""Names of people, as calendars give them: one text for all parts."""

import re

from funnel_app.web.hooks.fields import carries_link, is_unseen

TITLES = frozenset({"dr", "mr", "mrs", "ms", "mx", "miss", "prof", "sir", "rev", "herr", "frau", "mme", "sr", "sra"})
LONGEST_FIRST, LONGEST = 60, 120


def first_name_of(name: str | None) -> str | None:
    """Return the first name in a full name: "Dr. Ana Roy" and "Roy, Ana" are both Ana; None where there is none."""
    parts = _given_part(name or "").split()
    named = [part for part in parts if part.strip(".").casefold() not in TITLES]
    first = named[0].strip(".,") if named else ""
    return first if 0 < len(first) <= LONGEST_FIRST and "@" not in first else None


def _given_part(name: str) -> str:
    last, comma, given = name.partition(",")
    return given if comma and given.strip() else last


def safe_name(name: object, longest: int = LONGEST) -> str | None:
    """Return a name that may go into a letter; None for one that carries a link, is too long or is no text.

    For callers that cannot mend what a stranger typed, such as calendars: the person counts, not the name.
    """
    if not isinstance(name, str) or carries_link(name):
        return None
    printable = "".join(" " if is_unseen(character) else character for character in name)
    folded = re.sub(r"\s+", " ", printable).strip()
    return folded if 0 < len(folded) <= longest else None
