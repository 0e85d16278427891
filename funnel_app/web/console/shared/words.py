"""Words: how the console writes times, numbers and states."""

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns import incoming_calls
from funnel_app.campaigns.spoken import capital, clause, full_stop, sentence, things
from funnel_app.campaigns.states import IN_WORDS, SCANNED
from funnel_app.flows.monitoring.check import title_of_check
from funnel_app.flows.receipt import iso
from funnel_app.flows.replies.history import KINDS
from funnel_app.flows.templates.standing import Stand
from funnel_app.ledger.models import Enrolment, EnrolmentState
from funnel_app.ledger.pauses import EVERYTHING
from funnel_app.ledger.queries.leads import Running
from funnel_app.rules.exit_words import ended_as

STANDS = {
    Stand.SERVES: "good",
    Stand.NEWER_WAITS: "wait",
    Stand.KEPT: "wait",
    Stand.NEWEST_BROKEN: "bad",
    Stand.HELD: "bad",
    Stand.UNREAD: "over",
    Stand.STALE: "wait",
}
# The colour of a state: good, wait, bad or over; its name is always written beside it.
LOOKS = {
    "delivered": "good",
    "completed": "good",
    "accepted": "good",
    "active": "good",
    "ok": "good",
    "planned": "wait",
    "sending": "wait",
    "sent": "wait",
    "delayed": "wait",
    "paused": "wait",
    "duplicate": "over",
    "ignored": "over",
    "held": "bad",
    "ambiguous": "bad",
    "bounced": "bad",
    "complained": "bad",
    "failed": "bad",
    "refused": "bad",
    "fault": "bad",
    "warning": "wait",
    **{str(stand): look for stand, look in STANDS.items()},
}


def local(at: datetime | None, zone: str) -> str:
    """Return a time in a zone, with the zone's name; empty for None."""
    return _said(at, zone, "%H:%M")


def exact(at: datetime | None, zone: str) -> str:
    """Return a time as `local` does, to the second, for events that follow each other closely."""
    return _said(at, zone, "%H:%M:%S")


def _said(at: datetime | None, zone: str, clock: str) -> str:
    if at is None:
        return ""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%a} {there.day} {there:%b %Y}, {there.strftime(clock)} {there:%Z}"


def short(at: datetime | None, zone: str) -> str:
    """Return a time in a zone without year and zone, for tables that name the zone once."""
    if at is None:
        return ""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%b, %H:%M:%S}"


def brief(at: datetime, zone: str) -> str:
    """Return a time in a zone in short: 24 Nov, 09:00."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%b, %H:%M}"


def clock(at: datetime, zone: str) -> str:
    """Return the time of day in a zone, to the second."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def soon(at: datetime, now: datetime, zone: str) -> str:
    """Return a future time: now, today 09:00, tomorrow 09:00, Friday 27 November 09:00."""
    there = at.astimezone(ZoneInfo(zone))
    return "now" if at <= now else f"{day_name(there.date(), now, zone)} {there:%H:%M}"


def day_name(day: date, now: datetime, zone: str) -> str:
    """Return a day relative to today: yesterday, today, tomorrow, else Friday 27 November."""
    away = (day - now.astimezone(ZoneInfo(zone)).date()).days
    return NEAR_DAYS.get(away, f"{day:%A} {day.day} {day:%B}")


def how_it_stands(run: Enrolment | Running, paused: Collection[tuple[str, str]]) -> str:
    """Return an enrolment's state, paused also where its sequence or all sending is; if it ended early, how: booked."""
    if run.state == EnrolmentState.EXITED:
        return ended_as(run.exit_event, run.exit_reason)
    kept_back = run.state == EnrolmentState.ACTIVE and (EVERYTHING in paused or (run.campaign, run.sequence) in paused)
    return str(EnrolmentState.PAUSED if kept_back else run.state)


def stands(state: str) -> str:
    """Return an email's state in plain words."""
    return STATES.get(str(state), str(state))


def parsed(text: str) -> datetime:
    """Return the time that a flow formatted."""
    return datetime.fromisoformat(text)


def look(state: Any) -> str:
    """Return the CSS class of a state."""
    return f"pill {LOOKS.get(str(state), 'over')}"


def number(value: float | None) -> str:
    """Return a number with commas between thousands, as commands and alerts write it; a dash for None."""
    return "–" if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """Return a share as a percentage; a dash for None."""
    if value is None:
        return "–"
    return "100 %" if value == 1 else f"{min(value * 100, 99.9):.1f} %"


def span(duration: timedelta | float | None) -> str:
    """Return a duration, or seconds, in its two largest units."""
    if duration is None:
        return "–"
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, size, below in (("d", 86400, "h"), ("h", 3600, "min"), ("min", 60, "s")):
        if seconds >= size:
            rest = int(seconds % size // {"h": 3600, "min": 60, "s": 1}[below])
            return f"{int(seconds // size)} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{seconds:.0f} s"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a time was: just now, 14 minutes ago, 3 hours ago."""
    minutes = int((now - at).total_seconds()) // 60
    if minutes < 1:
        return "just now"
    number, unit = (minutes, "minute") if minutes < 120 else (minutes // 60, "hour")
    return f"{things(number, unit)} ago"


def is_old(at: datetime, now: datetime) -> bool:
    """Say whether a reading is too old to be relied on."""
    return now - at >= OLD_AFTER


def reported(kind: str) -> str:
    """Return a kind of event in words; Resend's reports differ from the ledger's own records."""
    if kind == SCANNED:
        return "Resend: clicked by a program"
    if kind in KINDS:
        return KINDS[kind]
    name = kind.removeprefix("email.")
    words = STATES[name] if name in SAID_OTHERWISE else spaced(name)
    return words if name == kind else f"Resend: {words}"


def acted(action: str) -> str:
    """Return what an operator did, by the button's title."""
    return ACTIONS.get(action, spaced(action))


def event_name(event: str) -> str:
    """Return an event's name within a sentence: sign-up, new client, booking called off."""
    return clause(incoming_calls.called(event, ""))


def spaced(name: str) -> str:
    """Return an identifier as words."""
    return name.replace("_", " ")


NEAR_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
STATES = {**IN_WORDS, "exited": "ended early"}
ACTIONS = {"suppress": "mail no more", "correct": "correct the address", "import": "import a list"}
# Events are named like states, except that “sent” is an event and “on its way” a state.
SAID_OTHERWISE = frozenset({"ambiguous", "complained", "suppressed"})
OLD_AFTER = timedelta(minutes=5)

FILTERS: dict[str, Callable[..., Any]] = {
    "local": local,
    "exact": exact,
    "short": short,
    "reported": reported,
    "parsed": parsed,
    "iso": iso,
    "look": look,
    "number": number,
    "percent": percent,
    "span": span,
    "spaced": spaced,
    "event_name": event_name,
    "acted": acted,
    "sentence": sentence,
    "full_stop": full_stop,
    "capital": capital,
    "ago": ago,
    "brief": brief,
    "clock": clock,
    "soon": soon,
    "day_name": day_name,
    "how_it_stands": how_it_stands,
    "stands": stands,
    "called": title_of_check,
    "is_old": is_old,
}
