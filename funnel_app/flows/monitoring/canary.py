"""Canary: from the public hook to a delivered email, as a lead would go; hourly, and by hand."""

import secrets
from datetime import timedelta
from uuid import UUID

from funnel_app.campaigns.canary import CANARY
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.ledger import canaries
from funnel_app.ledger.canaries import CanaryRun

DELIVERED_WITHIN = timedelta(minutes=5)
KEPT_FOR = timedelta(days=2)
AT_A_TIME = 200


def start(deps: Deps) -> UUID:
    """Start a canary through the public hook and return its enrolment. Raises Unavailable or Rejected."""
    address = f"{canaries.PREFIX}{secrets.token_hex(6)}@{canaries.DOMAIN}"
    answer = deps.public.sign_up(CANARY, {"email": address, "first_name": "Canary"})
    return UUID(str(answer["enrolment_id"]))


def run_when_due(deps: Deps) -> UUID | None:
    """Start a canary where the last one is a setting's time old; None where it is not, or no canary is to run."""
    every = deps.settings.canary_every
    if not every:
        return None
    forget_old(deps)
    last = latest(deps)
    if last is not None and deps.now() - last.started_at < every:
        return None
    return start(deps)


def latest(deps: Deps) -> CanaryRun | None:
    """Return the newest canary; None where none has run yet."""
    with deps.reads() as session:
        return canaries.latest(session)


def latest_arrived(deps: Deps) -> CanaryRun | None:
    """Return the newest canary that arrived; None where none did."""
    with deps.reads() as session:
        return canaries.latest_arrived(session)


def look_at(deps: Deps, enrolment_id: UUID) -> CanaryRun:
    """Return how one canary stands."""
    with deps.reads() as session:
        return canaries.get(session, enrolment_id)


def late(deps: Deps) -> str | None:
    """Say what is wrong with the newest canary: late, or proved by asking alone; None where it is well or may be.

    Where none is to run nothing is wrong.
    """
    every, run = deps.settings.canary_every, latest(deps)
    if not every or run is None:
        return None
    age = deps.now() - run.started_at
    if run.delivered_at is None and age > DELIVERED_WITHIN:
        reason = f": {run.reason}" if run.reason else ""
        return f"the test email of {said_at(deps, run.started_at)} is {run.state}{reason}"
    if run.delivered_at is not None and not run.told:
        when = said_at(deps, run.started_at)
        return f"the test email of {when} arrived, but only asking told: Resend's reports do not come"
    if age > every + DELIVERED_WITHIN:
        return f"no test email could start since {said_at(deps, run.started_at)}: its address does not answer"
    return None


def forget_old(deps: Deps) -> int:
    """Delete the canaries of the days before, and all that was sent and heard of them; return how many."""
    with deps.reads() as session:
        old = canaries.old_contacts(session, deps.now() - KEPT_FOR, AT_A_TIME)
    if old:
        with deps.sessions.begin() as session:
            canaries.delete_with_everything(session, old)
    return len(old)
