"""Cal.com's own events, and the older envelope `{payload: {booking}}`.

A move is one event that names both calls. There is no time in the signature, so a replay is told by what it says.
https://cal.com/docs/developing/guides/automation/webhooks
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import NotFound, Unauthorized

from funnel_app.campaigns.model import Event
from funnel_app.current import current_deps
from funnel_app.flows.addresses import normalised
from funnel_app.flows.intake.lookup import call_at_of
from funnel_app.rules.call import Call
from funnel_app.web.auth import is_signed_body, note_proof, require_json
from funnel_app.web.hooks.calcom_events import (
    AttendeeSchema,
    BookingSchema,
    CalcomSchema,
    MissedAttendeeSchema,
    NoShowUpdatedSchema,
)
from funnel_app.web.hooks.calendars import Calendar, acknowledge, answer_facts, answers, tracking_facts
from funnel_app.web.hooks.common import answer, plain
from funnel_app.web.hooks.decoration import LEFT_OUT, missing, within
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.noshow import occurrence_of
from funnel_app.web.payloads import HookBlueprint
from funnel_app.web.replays import is_replay

# What the form asks of everybody stands elsewhere in the event.
KNOWN_ANSWERS = frozenset({"name", "email", "guests", "location", "rescheduleReason"})

blueprint = HookBlueprint("calcom", __name__, url_prefix="/webhook", description="Cal.com's own events")


@blueprint.before_request
def require_signature() -> None:
    """Let only Cal.com through, by X-Cal-Signature-256 under CALCOM_SIGNING_KEY; 404 where none is set."""
    if is_replay():
        note_proof()
        return
    keys = current_deps().settings.calcom_signing_keys
    if not keys:
        raise NotFound("Cal.com's events are not taken here: CALCOM_SIGNING_KEY is not set.")
    if not is_signed_body(request.headers.get("X-Cal-Signature-256", ""), keys):
        raise Unauthorized("X-Cal-Signature-256 does not fit CALCOM_SIGNING_KEY.")
    note_proof()


blueprint.before_request(require_json)


@blueprint.post("/<campaign>/calcom")
@documented(blueprint, CalcomSchema, ({"calcom": []},))
def receive_calcom(envelope: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Do what an event of Cal.com asks for; kinds that say nothing to us are acknowledged."""
    current_deps().registry.campaign(campaign)
    reader = READERS.get(envelope["trigger"])
    if reader is None:
        return acknowledge(f"{envelope['trigger']} says nothing to Funnel")
    with answers("payload"):
        calls = reader(campaign, envelope)
    return answer(*calls)


def _booking_calls(campaign: str, envelope: Mapping[str, Any], event: Event) -> list[Call]:
    booking = BookingSchema().load(envelope["payload"])
    at = booking.get("start_time")
    if at is None and event is Event.BOOKING:
        raise ValidationError({"startTime": missing("startTime", booking[LEFT_OUT])})
    facts = {**tracking_facts(booking.get("metadata")), **answer_facts(_answers(booking))}
    notes = {**envelope[LEFT_OUT], **within("payload", booking[LEFT_OUT])}
    calendar = _calendar(campaign, _booker(booking), facts, notes)
    happened_at = envelope.get("created_at")
    variables = {"call_time": plain(at), "scheduled_time": plain(at)} if at else {}
    common = {"happened_at": happened_at, "call_at": at, "variables": variables}
    calls = [calendar.call(event, occurrence=occurrence_of(booking["uid"]), **common)]
    old = booking.get("rescheduled_from")
    if event is Event.BOOKING and old and old != booking["uid"]:
        left = calendar.call(Event.BOOKING_RESCHEDULED, occurrence=occurrence_of(old), happened_at=happened_at)
        return [left, *calls]
    return calls


def _booker(booking: Mapping[str, Any]) -> dict[str, Any]:
    """Return who booked: the first attendee. The others are guests of theirs, and what is wrong with them is nothing.

    Where the booker has no usable address, the form's own answers have it (https://github.com/calcom/cal.diy/issues/17703).
    Raises ValidationError where they have none either.
    """
    first = booking["attendees"][0]
    try:
        return _attendee(first)
    except ValidationError as fault:
        asked = _answered(booking, "email")
        if asked is None:
            raise ValidationError({"attendees": {0: fault.messages}}) from None
    named = next((row for row in booking["attendees"] if isinstance(row, dict) and row.get("email") == asked), first)
    try:
        return _attendee({**(named if isinstance(named, dict) else {}), "email": asked})
    except ValidationError as fault:
        raise ValidationError({"responses": {"email": {"value": fault.messages_dict.get("email", [])}}}) from None


def _attendee(row: object) -> dict[str, Any]:
    return dict(AttendeeSchema().load(row if isinstance(row, dict) else {}))


def _loaded(schema: Schema, rows: Sequence[object]) -> tuple[list[dict[str, Any]], dict[int, Any]]:
    """Return those of some rows that can be used, and the faults of the others by their place."""
    usable, faults = [], {}
    for place, row in enumerate(rows):
        try:
            usable.append(schema.load(row if isinstance(row, dict) else {}))
        except ValidationError as fault:
            faults[place] = fault.messages
    return usable, faults


def _answered(booking: Mapping[str, Any], name: str) -> object:
    responses = booking.get("responses")
    row = responses.get(name) if isinstance(responses, dict) else None
    return row.get("value") if isinstance(row, dict) else row


def _booked(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    return _booking_calls(campaign, envelope, Event.BOOKING)


def _cancelled(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    return _booking_calls(campaign, envelope, Event.BOOKING_CANCELLED)


def _no_show_updated(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    update = NoShowUpdatedSchema().load(envelope["payload"])
    attendees, faults = _loaded(MissedAttendeeSchema(), update["attendees"])
    if not attendees:
        raise ValidationError({"attendees": faults})
    occurrence = occurrence_of(update["uid"])
    at = call_at_of(current_deps(), campaign, occurrence)
    return [
        _calendar(campaign, attendee, {}, envelope[LEFT_OUT]).call(
            Event.NO_SHOW if attendee["no_show"] else Event.NO_SHOW_UNDONE,
            occurrence=occurrence,
            happened_at=envelope.get("created_at"),
            call_at=at,
            variables={"scheduled_time": plain(at)} if at else {},
        )
        # In one order, so that two updates never wait for each other's people in a circle.
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
    "BOOKING_CANCELLED": _cancelled,
    "BOOKING_NO_SHOW_UPDATED": _no_show_updated,
}
