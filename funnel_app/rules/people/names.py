"""Names from calendars, which have one field for the whole name and nobody to correct it."""

from nameparser import HumanName
from nameparser.config import Constants

from funnel_app.campaigns.links import carries_link, carries_number
from funnel_app.rules.people.typed_text import clean

LONGEST_FIRST, LONGEST = 60, 120
# Characters of pasted data that no name has: https://github.com/calcom/cal.diy/issues/16913
NO_LETTERS = '{}[]<>":;=/\\|#$%^*_+~'

# Titles that nameparser lacks, in part because somebody may be called so: "Hi Major" is worse than no name at all.
MORE_TITLES = (
    "major major-general lieutenant-colonel brigadier-general rear-admiral vice-admiral cmdr "
    "oberst hauptmann trooper constable inspector engr dipl.-kffr dipl.-kfm univ.-prof maître doña shri shrimati datuk "
    "dato datin alhaji alhaja apostle the"
)
WORDS = Constants()
WORDS.titles.add(*MORE_TITLES.split())


def first_name_of(name: str | None) -> str | None:
    """Return the first name in a full name: Ana of "Dr. Ana Roy" and of "Roy, Ana, MBA"; None if there is none."""
    text = clean(name, LONGEST)
    if text is None or "@" in text:
        return None
    parsed = HumanName(text, constants=WORDS)
    # A single word is the name: "李小龍", or people with one name only.
    first = parsed.first or ("" if parsed.title else parsed.last)
    return first if _is_first_name(first, alone=not parsed.last or first == text) else None


def _is_first_name(first: str, *, alone: bool) -> bool:
    letters = first.replace(".", "")
    if any(map(first.__contains__, NO_LETTERS)):
        return False
    if not any(map(str.isalpha, letters)) or any(map(str.isdigit, letters)) or len(first) > LONGEST_FIRST:
        return False
    # Nobody is addressed by an initial, a title or a degree.
    return not (letters.isascii() and len(letters) == 1) and not (alone and _is_rank(letters))


def _is_rank(letters: str) -> bool:
    word = letters.casefold()
    if word in WORDS.suffix_acronyms:
        return letters.isupper()
    return word in WORDS.titles or word in WORDS.suffix_not_acronyms


def safe_name(name: object, longest: int = LONGEST) -> str | None:
    """Return a name that is safe in a letter; None if it holds a link or a number, or is no text.

    For callers such as calendars, which cannot correct what was typed: the person counts, not the name.
    """
    text = clean(name, longest)
    return None if text is None or carries_link(text) or carries_number(text) else text
