"""Experiments: which variant of a text a lead gets, and how reliably the shares of two variants differ."""

from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from uuid import UUID

from funnel_app.campaigns.model import Sequence, Step
from funnel_app.rules.figures import share

# Confidence of 95 %.
Z = 1.959964
# With fewer of each the interval is too narrow: 1 of 1 against 0 of 9 is what chance gives once in ten times.
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total, with its confidence interval."""

    did: int
    of: int

    @property
    def share(self) -> float | None:
        """The share itself; None if the total is 0."""
        return share(self.did, self.of)

    @property
    def within(self) -> tuple[float, float]:
        """Wilson's score interval; 0 to 1 if the total is 0.

        E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
        """
        if not self.of:
            return 0.0, 1.0
        p, n = self.did / self.of, self.of
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(middle - half, 0.0), min(middle + half, 1.0)


def difference_within(first: Share, second: Share) -> tuple[float, float]:
    """Return the confidence interval of the second share minus the first; one that contains 0 says nothing.

    R. G. Newcombe, Interval estimation for the difference between independent proportions: comparison of eleven
    methods, Statistics in Medicine 17 (1998), 873-890, method 10.
    """
    if not first.of or not second.of:
        return -1.0, 1.0
    (low1, high1), (low2, high2) = first.within, second.within
    p1, p2 = first.did / first.of, second.did / second.of
    low = sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2)
    high = sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2)
    return p2 - p1 - low, p2 - p1 + high


def better(first: Share, second: Share) -> int | None:
    """Return the index of the share that is significantly larger, 0 or 1; None if neither is, or one is of too few."""
    if min(first.of, second.of) < FEWEST:
        return None
    low, high = difference_within(first, second)
    return 1 if low > 0 else 0 if high < 0 else None


def variant_for(step: Step, sequence: Sequence, lead: UUID) -> str:
    """Return the variant of a step's template for a lead: random over all leads, constant for one."""
    if len(variants := step.variants) == 1:
        return variants[0]
    drawn = sha256(f"{lead}/{sequence.campaign}/{sequence.name}/{step.number}".encode()).digest()
    return variants[drawn[0] % len(variants)]
