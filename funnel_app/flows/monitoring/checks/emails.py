"""Checks of the emails: none is stuck unseen, few are refused, and the newest canary arrived."""

from funnel_app.campaigns.states import state_in_words
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.flows.monitoring.alerts.alert_words import without_link
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS, count_invariants
from funnel_app.flows.monitoring.check import Findings, fault, ok, warning
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.monitoring.probes.canary import late, latest, latest_arrived
from funnel_app.flows.monitoring.probes.refused_calls import KIND, refused_and_waiting
from funnel_app.flows.monitoring.probes.undelivered import MOST, shares_of_the_week, undelivered_lately

# These keep emails from arriving; the others hide whether they do.
HOLDING = ("stuck", "held", "incomplete")


def invariants(deps: Deps) -> Findings:
    """All invariants hold: no email is late, stuck, held, unconfirmed or unaccounted for."""
    broken = {name: number for name, number in count_invariants(deps).items() if number}
    # Their own check tells of them.
    broken.pop("overdue", None)
    words = "; ".join(f"{number:,} {INVARIANTS[name].broken}" for name, number in broken.items())
    fix = "; ".join(INVARIANTS[name].fix for name in broken)
    if not broken:
        yield ok("invariants", f"all {len(INVARIANTS) - 1} hold")
    elif any(name in HOLDING for name in broken):
        yield fault("invariants", words, fix)
    else:
        yield warning("invariants", words, fix)


def refused(deps: Deps) -> Findings:
    """No refused call of a known sender waits for a fix: each is a lead without emails."""
    waiting = refused_and_waiting(deps.reads)
    if waiting:
        words = "; ".join(f"{found.hook}: {found}, the last at {said_at(deps, found.newest_at)}" for found in waiting)
        yield warning("refused calls", words, ALARMS[KIND].fix)
    else:
        yield ok("refused calls", "none waits for a fix")


def undelivered(deps: Deps) -> Findings:
    """Few emails bounce or are marked as spam, and none did in the last hour."""
    shares, lately = shares_of_the_week(deps), undelivered_lately(deps)
    week = "in 7 days " + " and ".join(map(str, shares))
    if any(share.too_many for share in shares):
        limits = " and ".join(f"{share:.2%} {state_in_words(state)}" for state, share in MOST.items())
        fix = f"Resend closes accounts over {limits}: see who signs up with which addresses, and stop what brings them"
        yield fault("undelivered", week, fix)
    elif lately:
        words = "; ".join(f"{state_in_words(state)}: {without_link(told)}" for state, told in lately.items())
        fix = "; ".join(ALARMS[state].fix for state in lately)
        yield warning("undelivered", f"{words}; {week}", fix)
    else:
        yield ok("undelivered", week)


def canary(deps: Deps) -> Findings:
    """A recent canary went from the public hook to confirmed delivery."""
    newest, arrived, trouble = latest(deps.reads), latest_arrived(deps.reads), late(deps)
    fix = "run flask --app wsgi resend canary, and see what it waits for"
    if trouble:
        yield fault("canary", trouble, fix)
    elif arrived is None or arrived.delivered_at is None:
        never = f"the first runs since {said_at(deps, newest.started_at)}" if newest else "none has run yet"
        yield warning("canary", never, fix)
    else:
        took = max((arrived.delivered_at - arrived.started_at).total_seconds(), 0.0)
        yield ok("canary", f"the one of {said_at(deps, arrived.started_at)} arrived after {took:.0f} s")
