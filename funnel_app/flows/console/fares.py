"""Fares: how each template, or each step, fares."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.ledger import figures
from funnel_app.rules.figures import share

RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Fares:
    """How the emails of one template, or of one step, or all, fare."""

    key: str
    states: Mapping[State, int]
    # Of how many emails Resend told so; neither is told of an email whose domain is not tracked.
    opened: int = 0
    clicked: int = 0

    @property
    def planned(self) -> int:
        """How many emails there are in all."""
        return sum(self.states.values())

    @property
    def handed_over(self) -> int:
        """How many Resend took."""
        return sum(self.states.get(state, 0) for state in figures.HANDED_OVER)

    @property
    def delivery(self) -> float | None:
        """The share of those that Resend took and that arrived; None where it took none."""
        return share(self.states.get(State.DELIVERED, 0) + self.complained, self.handed_over)

    @property
    def bounced(self) -> int:
        """How many bounced."""
        return self.states.get(State.BOUNCED, 0)

    @property
    def complained(self) -> int:
        """How many were marked as spam."""
        return self.states.get(State.COMPLAINED, 0)

    @property
    def bounce(self) -> float | None:
        """The share that bounced or was complained of; None where Resend took none."""
        return share(self.bounced + self.complained, self.handed_over)


def together(rows: Sequence[Fares]) -> Fares:
    """Return how the emails of several templates fare as one, under the key of the first."""
    states = sum((Counter(row.states) for row in rows), Counter[State]())
    return Fares(rows[0].key, states, sum(row.opened for row in rows), sum(row.clicked for row in rows))


def recent_fares(deps: Deps) -> list[Fares]:
    """Return how each template fares: its emails of the last 30 days, and those to come."""
    with deps.reads() as session:
        return fares_of(deps.registry.template_keys(), figures.by_template(session, deps.now() - RECENT))


def fares_of(
    keys: Iterable[str],
    counted: Iterable[tuple[str, State, int]],
    looked_at: Mapping[str, tuple[int, int]] = MappingProxyType({}),
) -> list[Fares]:
    """Return how each of these templates fares, also those that were never sent; `looked_at`: opened and clicked."""
    found: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for key, state, count in counted:
        found[key][state] += count
    return [Fares(key, dict(found[key]), *looked_at.get(key, (0, 0))) for key in keys]
