"""Headline: whether all is well, in one sentence that every page, command and chat uses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from funnel_app.campaigns.spoken import clause, joined, things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import title_of_check
from funnel_app.flows.monitoring.present import is_reported, present_incidents
from funnel_app.flows.monitoring.statistics.day import Day, day_of, local_day, states_of_day
from funnel_app.flows.monitoring.status.examination import Examination, last_examination, new_faults
from funnel_app.flows.monitoring.status.going_out import going_out, going_out_words
from funnel_app.flows.monitoring.status.needs import OF_STOPS, Need, needs
from funnel_app.flows.monitoring.status.ready import Part, Stop, lets_first_go, stops, why_planned_wait
from funnel_app.flows.sending.sending_status import manual_pause, pause_reason
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.models.watch import Incident

PAUSED, STILL = "all sending is paused ", "Sending stands still"
# These pauses last until somebody fixes the cause; others end within seconds.
LASTING = frozenset({"config", "quota", "clock"})


class Standing(StrEnum):
    """The overall state of Funnel."""

    WELL = "well"
    NEEDS_YOU = "needs_you"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Headline:
    """The overall state: its opening words, what they name first, everything that needs a person, and today's emails.

    `explained_by` are the incidents that say more of a stop; `examined` is the last run of the doctor that it counts;
    `going_out` is how many emails are late only since a stop is just over.
    """

    state: Standing
    opening: str
    named: str
    needs: tuple[Need, ...]
    day: Day
    explained_by: tuple[Incident, ...] = ()
    examined: Examination | None = None
    going_out: int = 0

    @property
    def sentence(self) -> str:
        """The overall state in one sentence."""
        others = len(self.needs) - 1 if self.state is Standing.NEEDS_YOU else 0
        more = f"; and {others} more" if others else ""
        return f"{self.opening}: {self.named}{more}" if self.named else self.opening


def headline(
    stop: tuple[str, str] | None, wants: Sequence[Need], day: Day, explaining: Sequence[Incident] = ()
) -> Headline:
    """Return the headline from what is stopped (in opening words and a clause), what needs a person, and the day."""
    needs = tuple(wants)
    if stop is not None:
        return Headline(Standing.STOPPED, *stop, needs, day, tuple(explaining))
    if needs:
        ask = f"{things(len(needs), 'thing')} need{'s' if len(needs) == 1 else ''} you"
        return Headline(Standing.NEEDS_YOU, ask, needs[0].words, needs, day)
    return Headline(Standing.WELL, "All is well", str(day), needs, day)


def current_headline(
    deps: Deps, found: Sequence[Stop] | None = None, examined: Examination | None = None, *, whole: bool = False
) -> Headline:
    """Return the present headline, checking all parts unless their state is passed in.

    `examined` is the last run of the doctor, looked up unless given; `whole` says whether its readers may see full
    addresses. Never raises: if nothing can be asked, that is the headline.
    """
    found = stops(deps) if found is None else found
    if examined is None and not any(stop.part is Part.REDIS for stop in found):
        examined = last_examination(deps.process_status)
    try:
        late = going_out(deps)
        present = present_incidents(deps, found, examined, late, whole=whole)
        told = headline(_stop(deps, found), *_from_ledger(deps, present, stopped=bool(found)))
        return replace(_with_passing(deps, told, examined, late), examined=examined, going_out=late)
    except LedgerUnavailable:
        ledger_away = Stop(Part.LEDGER, "the ledger cannot be reached")
        return headline(_of_part((found or [ledger_away])[0]), (), Day())


def _with_passing(deps: Deps, told: Headline, examined: Examination | None, late: int) -> Headline:
    """Return a headline of all being well with what mostly passes: emails that go out late, a fault found just now."""
    if told.state is not Standing.WELL:
        return told
    if late:
        return replace(told, opening="Sending goes on", named=going_out_words(late))
    if examined and (names := new_faults(examined, deps.now())):
        titles = joined([deps.registry.in_titles(title_of_check(name)) for name in names])
        named = f"a fault was found just now ({titles}), and counts if it is still there in two minutes"
        return replace(told, opening="All goes so far", named=named)
    return told


def _from_ledger(deps: Deps, present: Sequence[Incident], *, stopped: bool) -> tuple[list[Need], Day, list[Incident]]:
    zone = deps.settings.timezone
    explain = OF_STOPS | ({"worker_gone"} if stopped else set())
    with deps.reads() as session:
        day = day_of(states_of_day(session, local_day(deps.now(), zone), zone))
        wants = needs(deps, session, present, stopped=stopped)
    return wants, day, [each for each in present if each.kind in explain]


def _stop(deps: Deps, found: Sequence[Stop]) -> tuple[str, str] | None:
    if found and not lets_first_go(found):
        return _of_part(found[0])
    reason = manual_pause(deps) or _lasting_pause(deps)
    if found:
        return STILL, found[0].words if reason else why_planned_wait(found)
    return (f"{STILL} {reason.removeprefix(PAUSED)}", "") if reason else None


def _of_part(stop: Stop) -> tuple[str, str]:
    if stop.part is Part.LEDGER:
        return f"No call is taken, and {clause(STILL)}", stop.words
    return STILL, stop.words


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
