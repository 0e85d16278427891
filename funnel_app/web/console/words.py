"""Words: how the console says times, numbers and states."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.flows.receipt import iso

# How a state looks: good, wait, bad or over; the state itself is always written beside the colour.
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
}


def local(at: datetime | None, zone: str) -> str:
    """Return a time in a zone as people say it, with the zone's name; nothing for no time."""
    return _said(at, zone, "%H:%M")


def exact(at: datetime | None, zone: str) -> str:
    """Return a time as `local` does, but to the second: for things that follow each other closely."""
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


def parsed(text: str) -> datetime:
    """Return the time that a flow wrote as text."""
    return datetime.fromisoformat(text)


def look(state: Any) -> str:
    """Return the class of a state's pill."""
    return f"pill {LOOKS.get(str(state), 'over')}"


def number(value: float | None) -> str:
    """Return a number with thin gaps between thousands; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}".replace(",", " ")


def percent(value: float | None) -> str:
    """Return a share of one as percent; a dash where there is none."""
    if value is None:
        return "–"
    return "100 %" if value == 1 else f"{min(value * 100, 99.9):.1f} %"


def span(duration: timedelta | float | None) -> str:
    """Return a duration, also one in seconds, in its two largest units."""
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


def reported(kind: str) -> str:
    """Return a kind of event in words: what Resend reports is told apart from what the ledger made of it."""
    return f"Resend: {spaced(kind.removeprefix('email.'))}" if kind.startswith("email.") else spaced(kind)


def spaced(name: str) -> str:
    """Return a name of the code as words."""
    return name.replace("_", " ")


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
}
