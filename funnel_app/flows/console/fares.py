"""Fares: the delivery figures of each template or step."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.ledger.queries import figures
from funnel_app.rules.figures import share

RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Fares:
    """The delivery figures of one template, one step, or all emails."""

    key: str
    states: Mapping[State, int]
    # Reported by Resend; neither is for a domain without tracking.
    opened: int = 0
    clicked: int = 0

    @property
    def planned(self) -> int:
        """The number of emails in all."""
        return sum(self.states.values())

    @property
    def submitted(self) -> int:
        """The number that Resend accepted."""
        return sum(self.states.get(state, 0) for state in figures.SUBMITTED)

    @property
    def delivery(self) -> float | None:
        """The share of accepted emails that were delivered; None if none was accepted."""
        return share(self.states.get(State.DELIVERED, 0) + self.complained, self.submitted)

    @property
    def bounced(self) -> int:
        """The number that bounced."""
        return self.states.get(State.BOUNCED, 0)

    @property
    def complained(self) -> int:
        """The number marked as spam."""
        return self.states.get(State.COMPLAINED, 0)

    @property
    def bounce(self) -> float | None:
        """The share that bounced or was complained of; None if none was accepted."""
        return share(self.bounced + self.complained, self.submitted)


def together(rows: Sequence[Fares]) -> Fares:
    """Return the sum of several templates' figures under the key of the first."""
    states = sum((Counter(row.states) for row in rows), Counter[State]())
    return Fares(rows[0].key, states, sum(row.opened for row in rows), sum(row.clicked for row in rows))


def recent_fares(deps: Deps) -> list[Fares]:
    """Return each template's figures: its emails of the last 30 days, and the planned ones."""
    with deps.reads() as session:
        return fares_of(deps.registry.template_keys(), figures.by_template(session, deps.now() - RECENT))


def fares_of(
    keys: Iterable[str],
    counted: Iterable[tuple[str, State, int]],
    looked_at: Mapping[str, tuple[int, int]] = MappingProxyType({}),
) -> list[Fares]:
    """Return the figures of these templates, also of unsent ones; `looked_at` adds opens and clicks."""
    found: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for key, state, count in counted:
        found[key][state] += count
    return [Fares(key, dict(found[key]), *looked_at.get(key, (0, 0))) for key in keys]
