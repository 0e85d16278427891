"""Experiments: how far two shares can be told apart; pure."""

from dataclasses import dataclass
from math import sqrt

from funnel_app.rules.figures import share

# Of a hundred such intervals 95 hold the true share.
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and between what the share lies that they are a sample of."""

    did: int
    of: int

    @property
    def share(self) -> float | None:
        """The share itself; None of nothing."""
        return share(self.did, self.of)

    @property
    def within(self) -> tuple[float, float]:
        """Wilson's score interval; all of 0 to 1 for nothing.

        E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
        """
        if not self.of:
            return 0.0, 1.0
        p, n = self.did / self.of, self.of
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(middle - half, 0.0), min(middle + half, 1.0)


def difference_within(first: Share, second: Share) -> tuple[float, float]:
    """Return between what the second share is larger than the first: a difference that may be 0 says nothing.

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
    """Return the place of the share that is larger beyond chance, 0 or 1; None where the difference says nothing."""
    low, high = difference_within(first, second)
    return 1 if low > 0 else 0 if high < 0 else None
