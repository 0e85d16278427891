"""Headings: map columns to fields, by the names in `words.toml` and by the cells below them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from funnel_app.lists.files import Form, Line, cell_of

EMAIL, FIRST_NAME, LAST_NAME, NAME, BUSINESS, TIMEZONE = (
    "email", "first_name", "last_name", "name", "business_name", "timezone",
)  # fmt: skip
STATUS, CONSENT, CONSENT_AT, CONSENT_SOURCE, CONSENT_IP = (
    "status", "consent", "consent_at", "consent_source", "consent_ip",
)  # fmt: skip
SUBSCRIBED, UNSUBSCRIBED, BOUNCED, COMPLAINED = ("subscribed", "unsubscribed", "bounced", "complained")
WORDS: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
# Fields that several columns may hold.
MANY = frozenset({STATUS, SUBSCRIBED, UNSUBSCRIBED, BOUNCED, COMPLAINED})
NAMES: Mapping[str, tuple[str, ...]] = {field: tuple(names) for field, names in WORDS["headings"].items()}
KNOWN = {name: field for field, names in NAMES.items() for name in names}
# In shops' exports "state" is as often a part of the address as a status.
OF_A_PLACE = frozenset({"state", "estado"})
STANDINGS = frozenset(word for words in WORDS["standings"].values() for word in words)
NOT_A_LETTER = re.compile(r"[\W_]+")
SAMPLE = 50
Mapped = Mapping[str, tuple[int, ...]]


def plain(heading: str) -> str:
    """Return a heading in lower case without accents and punctuation, as `words.toml` has them."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(sign))
    return NOT_A_LETTER.sub(" ", bare.casefold()).strip()


def guess(form: Form, sample: Sequence[Line]) -> Mapped:
    """Return the field of each column, as far as headings and cells tell."""
    found: dict[str, tuple[int, ...]] = {}
    for column, heading in enumerate(form.headings):
        field = KNOWN.get(plain(heading))
        if field == STATUS and plain(heading) in OF_A_PLACE and not _says_standing(column, sample):
            continue
        if field is not None and (field in MANY or field not in found):
            found[field] = (*found.get(field, ()), column)
    if (addresses := _of_addresses(form, sample)) is not None:
        found = {field: columns for field, columns in found.items() if addresses not in columns}
        found[EMAIL] = (addresses,)
    return found


def _says_standing(column: int, sample: Sequence[Line]) -> bool:
    return any(plain(cell_of(line.cells, column)) in STANDINGS for line in sample)


def _of_addresses(form: Form, sample: Sequence[Line]) -> int | None:
    """Return the column with addresses; None if no column has one in every second row or is named so.

    Of several named so, the first with the most addresses.
    """
    counts = [sum("@" in cell_of(line.cells, column) for line in sample) for column in range(len(form.headings))]
    called = [column for column, heading in enumerate(form.headings) if KNOWN.get(plain(heading)) == EMAIL]
    best = max(called, key=counts.__getitem__, default=None)
    if best is not None and (counts[best] or not any(counts)):
        return best
    most = max(counts, default=0)
    return counts.index(most) if most and most * 2 >= len(sample) else best
