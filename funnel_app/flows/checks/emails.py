"""Checks of the emails themselves: none stands still in silence, and the newest canary arrived."""

from funnel_app.deps import Deps
from funnel_app.flows.canary import late, latest, latest_arrived
from funnel_app.flows.checks.check import Findings, fault, ok, warning
from funnel_app.flows.invariants import INVARIANTS, count_invariants

# These keep emails from arriving; the others keep us from knowing.
HOLDING = ("overdue", "stuck", "held", "incomplete")


def invariants(deps: Deps) -> Findings:
    """What must never be is not: nothing is late, stuck, held, unproven or unaccounted for."""
    broken = {name: number for name, number in count_invariants(deps).items() if number}
    words = "; ".join(f"{number:,} {INVARIANTS[name].broken}" for name, number in broken.items())
    fix = "; ".join(INVARIANTS[name].fix for name in broken)
    if not broken:
        yield ok("invariants", f"all {len(INVARIANTS)} hold")
    elif any(name in HOLDING for name in broken):
        yield fault("invariants", words, fix)
    else:
        yield warning("invariants", words, fix)


def canary(deps: Deps) -> Findings:
    """An email went through everything, from the public hook to the proof of its delivery, not long ago."""
    newest, arrived, trouble = latest(deps), latest_arrived(deps), late(deps)
    fix = "run flask --app wsgi resend canary, and see what it waits for"
    if trouble:
        yield fault("canary", trouble, fix)
    elif arrived is None or arrived.delivered_at is None:
        never = f"the first flies since {newest.started_at:%H:%M:%S} UTC" if newest else "none has flown yet"
        yield warning("canary", never, fix)
    else:
        took = max((arrived.delivered_at - arrived.started_at).total_seconds(), 0.0)
        yield ok("canary", f"the one of {arrived.started_at:%Y-%m-%d %H:%M} UTC arrived after {took:.0f} s")
