"""Which column says what, by what `words.toml` knows of headings, and by what stands below them."""

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
# Several columns may say these, and each counts.
MANY = frozenset({STATUS, SUBSCRIBED, UNSUBSCRIBED, BOUNCED, COMPLAINED})
NAMES: Mapping[str, tuple[str, ...]] = {field: tuple(names) for field, names in WORDS["headings"].items()}
KNOWN = {name: field for field, names in NAMES.items() for name in names}
# Where somebody lives, in the exports of shops, as often as how they stand.
OF_A_PLACE = frozenset({"state", "estado"})
STANDINGS = frozenset(word for words in WORDS["standings"].values() for word in words)
NOT_A_LETTER = re.compile(r"[\W_]+")
SAMPLE = 50
Mapped = Mapping[str, tuple[int, ...]]


def plain(heading: str) -> str:
    """Return a heading in small letters without accents and signs, as the names here are written."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(sign))
    return NOT_A_LETTER.sub(" ", bare.casefold()).strip()


def guess(form: Form, sample: Sequence[Line]) -> Mapped:
    """Return which columns say what, as far as their headings tell, and what stands below them."""
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
    """Return the column that holds addresses; None where none does in every second row and none is called so.

    Of several that are called so, it is the first that holds the most.
    """
    counts = [sum("@" in cell_of(line.cells, column) for line in sample) for column in range(len(form.headings))]
    called = [column for column, heading in enumerate(form.headings) if KNOWN.get(plain(heading)) == EMAIL]
    best = max(called, key=counts.__getitem__, default=None)
    if best is not None and (counts[best] or not any(counts)):
        return best
    most = max(counts, default=0)
    return counts.index(most) if most and most * 2 >= len(sample) else best
