"""Cal.com's events, also in the older envelope `{payload: {booking}}`.

A move is one event that names both bookings. Signatures carry no time, so repeats are recognised by content.
https://cal.com/docs/developing/guides/automation/webhooks
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from funnel_app.campaigns.model import Event
from funnel_app.current import current_deps
from funnel_app.flows.addresses import normalised
from funnel_app.flows.intake.lookup import call_at_of
from funnel_app.rules.calendar.whole import Whole, digest
from funnel_app.rules.calls.call import Call
from funnel_app.web.auth import is_signed_body, require_calendar, require_json
from funnel_app.web.bounded_request import HookBlueprint
from funnel_app.web.hooks.calcom_people import booker_of, loaded
from funnel_app.web.hooks.calcom_schemas import (
    ATTENDEE,
    BOOKING,
    MISSED_ATTENDEE,
    NO_SHOW_UPDATED,
    CalcomSchema,
    way_of_booking,
)
from funnel_app.web.hooks.calcom_series import ended_series_of, series_of
from funnel_app.web.hooks.calendars import Calendar, acknowledge, answer_facts, answers, tracking_facts
from funnel_app.web.hooks.common import answer, plain
from funnel_app.web.hooks.decoration import LEFT_OUT, missing, within
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.noshow import occurrence_of

# Standard form fields are elsewhere in the event.
KNOWN_ANSWERS = frozenset({"name", "email", "guests", "location", "rescheduleReason"})

blueprint = HookBlueprint("calcom", __name__, url_prefix="/webhook", description="Cal.com's own events")


@blueprint.before_request
def require_signature() -> None:
    """Require a valid X-Cal-Signature-256 under CALCOM_SIGNING_KEY; 404 if no key is set."""
    keys = current_deps().settings.calcom_signing_keys
    require_calendar("Cal.com", "CALCOM_SIGNING_KEY", keys, "X-Cal-Signature-256", is_signed_body)


blueprint.before_request(require_json)


@blueprint.post("/<campaign>/calcom")
@documented(blueprint, CalcomSchema, ({"calcom": []},))
def receive_calcom(envelope: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Process an event of Cal.com; irrelevant kinds are acknowledged."""
    current_deps().registry.campaign(campaign)
    reader = READERS.get(envelope["trigger"])
    if reader is None:
        return acknowledge(f"{envelope['trigger']} says nothing to Funnel")
    with answers(way_of_booking(request.get_json())):
        calls = reader(campaign, envelope)
    return answer(*calls) if calls else acknowledge("A call that is asked for is none before the host says yes")


def _booking_calls(campaign: str, envelope: Mapping[str, Any], event: Event) -> list[Call]:
    booking = BOOKING.load(envelope["payload"])
    at = booking.get("start_time")
    if at is None and event is Event.BOOKING:
        raise ValidationError({"startTime": missing("startTime", booking[LEFT_OUT])})
    facts = {**tracking_facts(booking.get("metadata")), **answer_facts(_answers(booking))}
    notes = {**envelope[LEFT_OUT], **within("payload", booking[LEFT_OUT])}
    calendar = _calendar(campaign, booker_of(booking, event), facts, notes)
    happened_at, old = envelope.get("created_at"), _moved_from(booking, event)
    variables = {"call_time": plain(at), "scheduled_time": plain(at)} if at else {}
    said = {
        "happened_at": happened_at,
        "call_at": at,
        "variables": variables,
        "series": series_of(booking),
        "ends_series": ended_series_of(booking) if event is Event.BOOKING_CANCELLED else None,
    }
    own, whole = occurrence_of(booking["uid"]), _whole(booking, event)
    if not old:
        return [calendar.call(event, occurrence=own, whole=whole, **said)]
    left = calendar.call(Event.BOOKING_RESCHEDULED, occurrence=old, happened_at=happened_at, whole=whole)
    return [left] if _is_asked(booking) else [left, calendar.call(event, occurrence=own, **said)]


def _moved_from(booking: Mapping[str, Any], event: Event) -> str:
    """Return the booking that was moved to this one; empty if it is the same one."""
    old = occurrence_of(booking.get("rescheduled_from") or "")
    return old if event is Event.BOOKING and old != occurrence_of(booking["uid"]) else ""


def _is_asked(booking: Mapping[str, Any]) -> bool:
    """Say whether a booking awaits the host's confirmation, so that it does not stand yet."""
    return booking.get("status") == "PENDING"


def _whole(booking: Mapping[str, Any], event: Event) -> Whole | None:
    """Return a message about all attendees; None if it is about one of them, or a new booking.

    An attendee's own cancellation lists only that attendee; a host's lists all.
    """
    moves = event is Event.BOOKING and booking.get("rescheduled_from")
    if len(booking["attendees"]) < 2 or not (moves or event is Event.BOOKING_CANCELLED):
        return None
    usable, _ = loaded(ATTENDEE, booking["attendees"])
    of = frozenset(digest(normalised(attendee["email"])) for attendee in usable)
    stays = _is_asked(booking) or not moves
    return Whole(of=of, to="" if stays else occurrence_of(booking["uid"]), call_at=booking.get("start_time"))


def _booked(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    """Return a booking or a move; for one awaiting confirmation only the booking it leaves."""
    payload = envelope["payload"]
    asked = envelope["trigger"] == "BOOKING_REQUESTED" or payload.get("status") == "PENDING"
    if not asked:
        return _booking_calls(campaign, envelope, Event.BOOKING)
    moves = payload.get("rescheduleUid") and payload.get("rescheduleUid") != payload.get("uid")
    asking = {**envelope, "payload": {**payload, "status": "PENDING"}}
    return _booking_calls(campaign, asking, Event.BOOKING) if moves else []


def _cancelled(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    return _booking_calls(campaign, envelope, Event.BOOKING_CANCELLED)


def _no_show_updated(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    update = NO_SHOW_UPDATED.load(envelope["payload"])
    attendees, faults = loaded(MISSED_ATTENDEE, update["attendees"])
    if not attendees:
        raise ValidationError({"attendees": faults})
    occurrence = occurrence_of(update["uid"])
    at = call_at_of(current_deps().reads, campaign, occurrence)
    return [
        _calendar(campaign, attendee, {}, envelope[LEFT_OUT]).call(
            Event.NO_SHOW if attendee["no_show"] else Event.NO_SHOW_UNDONE,
            occurrence=occurrence,
            happened_at=envelope.get("created_at"),
            call_at=at,
            variables={"scheduled_time": plain(at)} if at else {},
        )
        # In a fixed order, so that concurrent events do not deadlock.
        for attendee in sorted(attendees, key=lambda attendee: normalised(attendee["email"]))
    ]


def _answers(booking: Mapping[str, Any]) -> Iterator[tuple[object, object]]:
    found = booking.get("responses")
    for name, row in found.items() if isinstance(found, dict) else ():
        if name not in KNOWN_ANSWERS and isinstance(row, dict):
            yield row.get("label"), row.get("value")


def _calendar(
    campaign: str, attendee: Mapping[str, Any], facts: Mapping[str, Any], left_out: Mapping[str, list[str]]
) -> Calendar:
    return Calendar(
        campaign=campaign,
        source="calcom",
        email=attendee["email"],
        name=attendee.get("name"),
        first_name=attendee.get("first_name"),
        timezone=attendee.get("timezone"),
        facts=facts,
        left_out=left_out,
    )


READERS: Mapping[str, Callable[[str, Mapping[str, Any]], list[Call]]] = {
    "BOOKING_CREATED": _booked,
    "BOOKING_RESCHEDULED": _booked,
    "BOOKING_REQUESTED": _booked,
    "BOOKING_CANCELLED": _cancelled,
    "BOOKING_REJECTED": _cancelled,
    "BOOKING_NO_SHOW_UPDATED": _no_show_updated,
}
