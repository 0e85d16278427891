"""Canary: a made-up lead from the public hook to a delivered email, hourly and on request."""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.canary import CANARY
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.gateways.http.public_url import PublicUrlProbe
from funnel_app.ledger import canaries
from funnel_app.ledger.canaries import CanaryRun

DELIVERED_WITHIN = timedelta(minutes=5)
KEPT_FOR = timedelta(days=2)
AT_A_TIME = 200


def start(public: PublicUrlProbe) -> UUID:
    """Start a canary through the public hook and return its enrolment. Raises Unavailable or Rejected."""
    address = f"{canaries.PREFIX}{secrets.token_hex(6)}@{canaries.DOMAIN}"
    answer = public.sign_up(CANARY, {"email": address, "first_name": "Canary"})
    return UUID(str(answer["enrolment_id"]))


def run_when_due(deps: Deps) -> UUID | None:
    """Start a canary if the last one is older than CANARY_EVERY; None if not, or if none is configured."""
    every = deps.settings.canary_every
    if not every:
        return None
    forget_old(deps)
    last = latest(deps.reads)
    if last is not None and deps.now() - last.started_at < every:
        return None
    return start(deps.public)


def latest(reads: sessionmaker[Session]) -> CanaryRun | None:
    """Return the newest canary; None where none has run yet."""
    with reads() as session:
        return canaries.latest(session)


def latest_arrived(reads: sessionmaker[Session]) -> CanaryRun | None:
    """Return the newest canary that arrived; None if none did."""
    with reads() as session:
        return canaries.latest_arrived(session)


def look_at(reads: sessionmaker[Session], enrolment_id: UUID) -> CanaryRun:
    """Return the state of one canary."""
    with reads() as session:
        return canaries.get(session, enrolment_id)


def late(deps: Deps) -> str | None:
    """Say what is wrong with the newest canary: late, or confirmed only by asking; None if it is well or in time.

    None also if no canary is configured.
    """
    every, run = deps.settings.canary_every, latest(deps.reads)
    if not every or run is None:
        return None
    age = deps.now() - run.started_at
    if run.delivered_at is None and age > DELIVERED_WITHIN:
        reason = f": {run.reason}" if run.reason else ""
        return f"the test email of {said_at(deps, run.started_at)} is {run.state}{reason}"
    if run.delivered_at is not None and not run.reported:
        when = said_at(deps, run.started_at)
        return f"the test email of {when} arrived, but only asking told: Resend's reports do not come"
    if age > every + DELIVERED_WITHIN:
        return f"no test email could start since {said_at(deps, run.started_at)}: its address does not answer"
    return None


def forget_old(deps: Deps) -> int:
    """Delete the canaries of earlier days with their emails and events; return how many."""
    with deps.reads() as session:
        old = canaries.old_contacts(session, deps.now() - KEPT_FOR, AT_A_TIME)
    if old:
        with deps.sessions.begin() as session:
            canaries.delete_with_everything(session, old)
    return len(old)
