"""What people call a sequence: its name, CAMPAIGN/NAME, or its title, in whatever letters and blanks they write it."""

from collections.abc import Iterable

from funnel_app.campaigns.model import Sequence

# A choice in Notion holds no comma, and no more than this: https://developers.notion.com/reference/request-limits
LONGEST_CHOICE = 100


def as_choice(title: str) -> str:
    """Return a title as a choice in Notion can hold it."""
    return title.replace(",", ";")[:LONGEST_CHOICE].strip()


def find_called(sequences: Iterable[Sequence], words: str) -> list[Sequence]:
    """Return the sequences that have this name, or where none has it, this title."""
    there, wanted = list(sequences), _plain(words)
    named = [each for each in there if wanted in {each.name.casefold(), f"{each.campaign}/{each.name}".casefold()}]
    return named or [each for each in there if wanted in {_plain(each.title), _plain(as_choice(each.title))}]


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()
