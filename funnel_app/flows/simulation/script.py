"""Script of a simulation: who starts which sequence when, and what happens afterwards."""

from collections.abc import Sequence as Rows
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns import fields
from funnel_app.campaigns.incoming_calls import called
from funnel_app.campaigns.model import Campaign, Event, Sequence
from funnel_app.campaigns.registry import Registry, UnknownCampaign
from funnel_app.flows.templates.samples import SAMPLES

UNSUBSCRIBE = "unsubscribe"
HAPPENINGS = (*Event, UNSUBSCRIBE)
# What each is called in a request; its name in the campaigns' files is understood too.
TITLES = {called(what, "").lower(): what for what in HAPPENINGS}
MOST_HAPPENINGS = 50
# A sensible limit; near the ends of the calendar dates cannot be computed.
AS_FAR_AS = timedelta(days=3660)
CALL_IN = timedelta(days=5)


class NotUnderstood(ValueError):
    """The request cannot be simulated; the message says what can."""


@dataclass(frozen=True)
class Happening:
    """One event of the campaign, or `unsubscribe`; and the start of its booking."""

    at: datetime
    what: str
    call_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Script:
    """A whole simulation: a made-up lead, or a known one by address."""

    campaign: Campaign
    sequence: Sequence
    at: datetime
    sample: str = SAMPLES[0]
    lead: str | None = None
    then: Rows[Happening] = field(default_factory=tuple)

    def happenings(self) -> list[Happening]:
        """Return all events in order, first the one that starts the sequence."""
        start = self.sequence.starts_on
        return [Happening(self.at, start, _call_of(start, self.at)), *sorted(self.then, key=lambda each: each.at)]


def write_script(
    registry: Registry,
    name: str,
    *,
    now: datetime,
    at: str = "",
    then: Rows[str] = (),
    sample: str = SAMPLES[0],
    lead: str | None = None,
) -> Script:
    """Return the script of a request. Raises NotUnderstood.

    `at` and times without a zone are in the campaign's; `at` defaults to now.
    """
    try:
        campaign, sequence = registry.named(name)
    except UnknownCampaign as fault:
        raise NotUnderstood(str(fault)) from None
    if sample not in SAMPLES:
        raise NotUnderstood(f"There is no sample {sample}; there are {', '.join(SAMPLES)}.")
    if len(then) > MOST_HAPPENINGS:
        raise NotUnderstood(f"A simulation plays {MOST_HAPPENINGS} events at most.")
    zone = ZoneInfo(campaign.timezone)
    start = _moment(at, now, zone) if at else now
    if lead and start < now:
        raise NotUnderstood("A lead's own story goes on from now: give a later time, or play a sample.")
    told = tuple(_happening(each, start, zone) for each in then)
    return Script(campaign=campaign, sequence=sequence, at=start, sample=sample, lead=lead, then=told)


def _happening(text: str, start: datetime, zone: ZoneInfo) -> Happening:
    """Parse `booking +2d`, `missed call 2026-12-03T14:00`, or with the booking's start, `booking +2d call +6d`."""
    said = text.strip()
    name = next((each for each in _NAMES if _plain(said).startswith(f"{each} ")), "")
    when, has_call, call = said[len(name) :].partition("call")
    if not name or not when.strip() or (has_call and not call.strip()):
        raise NotUnderstood(f"{text!r} is not an event and its time, such as booking +2d; events: {', '.join(TITLES)}.")
    what = _NAMES[name]
    at = _moment(when.strip(), start, zone)
    if at < start:
        raise NotUnderstood(f"{text!r} lies before the start of the sequence.")
    return Happening(at, what, _moment(call.strip(), start, zone) if has_call else _call_of(what, at))


def _plain(name: str) -> str:
    return name.lower().translate({ord("-"): " ", ord("_"): " "})


# The longest first: “booking moved” begins with another one's name.
_NAMES = {
    _plain(name): what
    for name, what in sorted(
        {**TITLES, **{str(what): what for what in HAPPENINGS}}.items(), key=lambda each: -len(each[0])
    )
}


def _call_of(what: str, at: datetime) -> datetime | None:
    if what in {Event.BOOKING, Event.BOOKING_RESCHEDULED}:
        return (at + CALL_IN).replace(minute=0, second=0, microsecond=0)
    return None


def _moment(text: str, start: datetime, zone: ZoneInfo) -> datetime:
    try:
        at = start + fields.duration(text[1:].strip()) if text.startswith("+") else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise NotUnderstood(f"{text!r} is not a time such as 2026-12-03 14:00, or a delay such as +2d.") from None
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    if abs(at - start) > AS_FAR_AS:
        raise NotUnderstood(f"{text!r} is more than ten years away, and so far ahead nothing can be played.")
    return at
