"""Check of this machine's clock, against the ledger and another clock."""

from datetime import timedelta

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Findings, fault, ok, warning
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.queries import watching

OFF, FAR_OFF = timedelta(seconds=60), timedelta(hours=1)


def clock(deps: Deps) -> Findings:
    """Our clock is right, and never runs back."""
    now = deps.now()
    with deps.reads() as session:
        newest = watching.newest_at(session)
    if newest is not None and newest - now > OFF:
        words = f"it is {said_at(deps, now)} here, and the ledger holds what happened at {said_at(deps, newest)}"
        yield fault("clock", words, "set this machine's clock (NTP); sending stops while it is over an hour off")
        return
    try:
        shown = deps.clock.shown()
        off = abs(shown - deps.world_time(deps.settings.resend_api_url))
    except GatewayError as error:
        yield warning("clock", f"{said_at(deps, now)}; no other clock could be asked ({error})", "look again")
        return
    words, fix = f"{said_at(deps, shown)}, {off.total_seconds():.0f} s off Resend's", "let NTP set the clock"
    yield (
        fault("clock", words, fix)
        if off > FAR_OFF
        else warning("clock", words, fix)
        if off > OFF
        else ok("clock", words)
    )
