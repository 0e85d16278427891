"""Standing: what another program's status word means: may the person be mailed, and if not, why.

People who unsubscribed, bounced or complained there are never mailed from here, and those without consent must give it
first. An unknown word holds a row back until an operator says what it means.
"""

from collections.abc import Mapping
from enum import StrEnum

from funnel_app.lists.headings import BOUNCED, COMPLAINED, STATUS, SUBSCRIBED, UNSUBSCRIBED, WORDS, plain

YES, NO, NOTHING = (frozenset(WORDS["answers"][name]) for name in ("yes", "no", "nothing"))


class Standing(StrEnum):
    """A person's status in a list, from best to most serious."""

    UNSTATED = "unsaid"
    SUBSCRIBED = "subscribed"
    UNKNOWN = "unknown"
    UNCONFIRMED = "unconfirmed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"

    @property
    def leaves(self) -> bool:
        """Whether the address must never be mailed."""
        return self in LEAVES


LEAVES = frozenset({Standing.UNSUBSCRIBED, Standing.BOUNCED, Standing.COMPLAINED})
WEIGHT = {standing: weight for weight, standing in enumerate(Standing)}
MEANINGS = {word: Standing(said) for said, words in WORDS["standings"].items() for word in words}
TOLD_BY = {UNSUBSCRIBED: Standing.UNSUBSCRIBED, BOUNCED: Standing.BOUNCED, COMPLAINED: Standing.COMPLAINED}


def standing_of(field: str, cell: str, means: Mapping[str, Standing]) -> Standing:
    """Return the status in a cell of a column of this kind; `means` has an operator's meanings of unknown words."""
    word = plain(cell)
    if word in means:
        return means[word]
    if field == SUBSCRIBED:
        return _yes_or_no(word, Standing.SUBSCRIBED, Standing.UNSUBSCRIBED)
    if field in TOLD_BY:
        # A time or a reason in such a column means yes.
        return Standing.UNSTATED if word in NO | NOTHING else TOLD_BY[field]
    if field == STATUS and word not in NOTHING:
        return MEANINGS.get(word, Standing.UNKNOWN)
    return Standing.UNSTATED


def _yes_or_no(word: str, yes: Standing, no: Standing) -> Standing:
    if word in NOTHING:
        return Standing.UNCONFIRMED
    # A time means that it happened.
    return yes if word in YES or (word[:1].isdigit() and word not in NO) else no if word in NO else _word(word)


def _word(word: str) -> Standing:
    return MEANINGS.get(word, Standing.UNKNOWN)


def heaviest(found: list[Standing]) -> Standing:
    """Return the most serious status of a row: one word that they unsubscribed is enough."""
    return max(found, key=WEIGHT.__getitem__, default=Standing.UNSTATED)
