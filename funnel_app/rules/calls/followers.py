"""Followers: what one calendar event implies for its other attendees, including those whose booking arrives later.

When a host cancels or moves an event with several seats, Cal.com sends one message that lists all attendees. It holds
for each of them, whoever stands first, and for attendees whose booking we learn of afterwards.
https://github.com/calcom/cal.com (packages/features/bookings/lib/handleCancelBooking.ts, handleSeats/)
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.places import LONG_AGO
from funnel_app.rules.calendar.whole import WholeWord
from funnel_app.rules.calls.call import Call
from funnel_app.rules.facts import ContactFacts

Words = Mapping[tuple[str, str], tuple[WholeWord, ...]]


def is_shared(call: Call) -> bool:
    """Say whether an event may have other attendees, of whom one message speaks together."""
    return bool(call.occurrence) and (call.whole is not None or (call.event is Event.BOOKING and call.by_calendar))


def whole_word(call: Call, now: datetime) -> WholeWord:
    """Return a message about all attendees, from a call that is one."""
    if call.whole is None:
        raise ValueError("This call speaks of one person.")
    return WholeWord(event=call.event, at=call.happening(now).at, whole=call.whole)


def said_before(call: Call, words: Words) -> Iterator[Call]:
    """Yield messages about all attendees that are newer than a booking, and so apply to it.

    A cancellation at the very time of the booking applies.
    """
    if call.event is not Event.BOOKING:
        return
    since = call.happened_at or LONG_AGO
    for word in words.get((call.campaign, call.occurrence), ()):
        newer = word.at > since if word.whole.to else word.at >= since
        if newer and word.whole.means(call.email_norm):
            for each in _by(word, _of(call, payload={"told_with": call.occurrence})):
                yield from said_before(each, words)
                yield each


def said_of_others(call: Call, contacts: Iterable[ContactFacts], now: datetime) -> list[Call]:
    """Return what a call implies for the other known attendees; nothing if it is about one person."""
    if call.whole is None:
        return []
    word = whole_word(call, now)
    known = [contact for contact in contacts if contact.email_norm != call.email_norm]
    come = [contact for contact in known if contact.booking(call.campaign, call.occurrence)]
    told = {"told_with": call.occurrence}
    people = [_of(call, email=each.email, email_norm=each.email_norm, payload=told) for each in come]
    return [each for person in people if word.whole.means(person.email_norm) for each in _by(word, person)]


def _of(call: Call, **more: Any) -> Call:
    return replace(call, whole=None, ends_series=None, contact={}, left_out={}, idempotency_key=None, **more)


def _by(word: WholeWord, call: Call) -> Iterator[Call]:
    """Yield what a message about all means for one attendee: cancelled, moved, or replaced by another event."""
    at = word.at
    if word.event is not Event.BOOKING:
        yield replace(call, event=word.event, happened_at=at, call_at=None, variables={}, place="")
    if word.whole.to and word.whole.call_at:
        yield _booked(call, at, word.whole.to, word.whole.call_at)


def _booked(call: Call, at: datetime, occurrence: str, call_at: datetime) -> Call:
    times = dict.fromkeys(("call_time", "scheduled_time"), call_at.isoformat())
    return replace(
        call,
        event=Event.BOOKING,
        occurrence=occurrence,
        happened_at=at,
        call_at=call_at,
        variables={**call.variables, **times},
        place="",
    )
