"""World of a simulation: the real flows' collaborators over a scratch ledger and simulated gateways."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.reasons import of_template
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.simulation.script import NotUnderstood
from funnel_app.flows.templates.recipient import booked_calls
from funnel_app.flows.templates.serving import NotReady
from funnel_app.gateways.simulated import (
    SimulatedFetchLock,
    SimulatedMailer,
    SimulatedPause,
    SimulatedQueues,
    SimulatedRate,
)
from funnel_app.ledger import scratch
from funnel_app.ledger.database.engine import make_sessions
from funnel_app.ledger.database.group_commit import GroupCommit
from funnel_app.logs import unlogged

# Templates count as just read for this long, so that Notion is not asked.
FOREVER = timedelta(days=40_000)


@dataclass
class SimulatedClock:
    """A clock that moves forward on request, and never back."""

    at: datetime

    def __call__(self) -> datetime:
        """Return the simulated time."""
        return self.at

    def go_to(self, at: datetime) -> None:
        """Move to this time, unless it is past."""
        self.at = max(self.at, at)

    def sleep(self, seconds: float) -> None:
        """Move forward by these seconds."""
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class World:
    """Collaborators for the flows, and their clock."""

    deps: Deps
    clock: SimulatedClock


@contextmanager
def simulated_world(deps: Deps, start: datetime) -> Iterator[World]:
    """Yield a world with the real campaigns, templates and figures; nothing in it is logged."""
    with scratch.scratch_ledger() as engine, unlogged():
        sessions, reads = make_sessions(engine)
        clock = SimulatedClock(start)
        played = replace(
            deps,
            settings=replace(deps.settings, testing_mode=False),
            registry=_with_bookings(deps),
            engine=engine,
            sessions=sessions,
            reads=reads,
            mailer=SimulatedMailer(),
            queues=SimulatedQueues(),
            rate=SimulatedRate(),
            pause=SimulatedPause(),
            fetch_lock=SimulatedFetchLock(_no_text),
            now=clock,
            sleep=clock.sleep,
            intake=GroupCommit(),
            events=GroupCommit(),
        )
        with deps.reads() as real, sessions.begin() as session:
            scratch.copy_texts(real, session, deps.registry.template_keys(), start + FOREVER)
        yield World(played, clock)


def _no_text(key: str) -> NoReturn:
    raise NotReady(of_template(key, "no text of it was ever read; flask templates audit says why"))


def _with_bookings(deps: Deps) -> Registry:
    """Return the campaigns with the real number of bookings in their baseline."""
    campaigns = {
        name: replace(campaign, bookings_baseline=campaign.bookings_baseline + booked_calls(deps, name))
        for name, campaign in deps.registry.campaigns.items()
    }
    return Registry(campaigns)


def bring(reads: sessionmaker[Session], world: World, address: str) -> UUID:
    """Copy a known lead with their history into the world; NotUnderstood if the address is unknown."""
    with reads() as real, world.deps.sessions.begin() as session:
        found = scratch.copy_person(real, session, looked_up(address), world.deps.settings.secret_key)
    if found is None:
        raise NotUnderstood(f"There is no lead {address}; flask trace {address} says what is known of the address.")
    return found
