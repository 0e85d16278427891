"""Headline: whether all is well, in one sentence that every page, command and chat uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.day import Day, day_of, local_day, states_of_day
from funnel_app.flows.monitoring.needs import NOTHING_WHOLE, Need, is_reported, needs
from funnel_app.flows.monitoring.ready import Part, Stop, stops
from funnel_app.flows.sending.sending_status import manual_pause, pause_reason
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents
from funnel_app.ledger.engine import LedgerUnavailable

PAUSED = "all sending is paused "
# These pauses last until somebody fixes the cause; others end within seconds.
LASTING = frozenset({"config", "quota", "clock"})


class Standing(StrEnum):
    """The overall state of Funnel."""

    WELL = "well"
    NEEDS_YOU = "needs_you"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Headline:
    """The overall state, a sentence on it, and everything that needs a person."""

    state: Standing
    sentence: str
    needs: tuple[Need, ...] = ()


def headline(stop: str | None, wants: Sequence[Need], day: Day) -> Headline:
    """Return the headline from what is stopped, what needs a person, and today's emails."""
    if stop is not None:
        return Headline(Standing.STOPPED, stop, tuple(wants))
    if wants:
        more = f"; and {len(wants) - 1} more" if len(wants) > 1 else ""
        ask = f"{things(len(wants), 'thing')} need{'s' if len(wants) == 1 else ''} you"
        return Headline(Standing.NEEDS_YOU, f"{ask}: {wants[0]}{more}", tuple(wants))
    return Headline(Standing.WELL, f"All is well: {day}")


def current_headline(
    deps: Deps, found: Sequence[Stop] | None = None, whole: Mapping[str, str] = NOTHING_WHOLE
) -> Headline:
    """Return the present headline, checking all parts unless their state is passed in.

    `whole` has unmasked details by kind, for those who may see addresses. Never raises: if nothing can be asked, that
    is the headline.
    """
    found = stops(deps) if found is None else found
    try:
        return headline(_stop(deps, found), *_from_ledger(deps, whole, stopped=bool(found)))
    except LedgerUnavailable:
        ledger_away = Stop(Part.LEDGER, "the ledger cannot be reached")
        return headline(_sentence((found or [ledger_away])[0]), (), Day())


def _from_ledger(deps: Deps, whole: Mapping[str, str], *, stopped: bool) -> tuple[list[Need], Day]:
    zone = deps.settings.timezone
    with deps.reads() as session:
        day = day_of(states_of_day(session, local_day(deps.now(), zone), zone))
        return needs(deps, session, stopped=stopped, whole=whole), day


def _stop(deps: Deps, found: Sequence[Stop]) -> str | None:
    if found:
        return _sentence(found[0])
    reason = manual_pause(deps) or _lasting_pause(deps)
    return f"Sending stands still {reason.removeprefix(PAUSED)}" if reason else None


def _sentence(stop: Stop) -> str:
    if stop.part is Part.LEDGER:
        return f"No call is taken, and sending stands still: {stop.words}"
    return f"Sending stands still: {stop.words}"


def _lasting_pause(deps: Deps) -> str | None:
    try:
        pause = deps.pause.current()
    except Unavailable:
        return None
    if pause is None or not (pause.kind in LASTING or _is_resend_away(deps)):
        return None
    return pause_reason(deps)


def _is_resend_away(deps: Deps) -> bool:
    with deps.reads() as session:
        return any(is_reported(each, deps.now()) for each in incidents.current(session, {"resend_away"}))
