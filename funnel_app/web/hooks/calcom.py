"""Cal.com's own events, and the older envelope `{payload: {booking}}`.

A move is one event that names both calls. There is no time in the signature, so a replay is told by what it says.
https://cal.com/docs/developing/guides/automation/webhooks
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, fields, pre_load, validate
from werkzeug.exceptions import NotFound, Unauthorized

from funnel_app.campaigns.model import Event
from funnel_app.current import current_deps
from funnel_app.flows.addresses import normalised
from funnel_app.flows.intake.lookup import call_at_of
from funnel_app.rules.call import Call
from funnel_app.web.auth import is_one_of, note_proof, require_json
from funnel_app.web.hooks.calendars import Calendar, acknowledge, answers
from funnel_app.web.hooks.common import answer, plain
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Address, Moment
from funnel_app.web.hooks.noshow import occurrence_of
from funnel_app.web.payloads import HookBlueprint
from funnel_app.web.replays import is_replay

# What the form asks of everybody stands elsewhere in the event.
KNOWN_ANSWERS = frozenset({"name", "email", "guests", "location", "rescheduleReason"})

SIGNATURE = re.compile("[0-9a-f]{64}")

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
    if not _is_signed(request.headers.get("X-Cal-Signature-256", ""), keys):
        raise Unauthorized("X-Cal-Signature-256 does not fit CALCOM_SIGNING_KEY.")
    note_proof()


def _is_signed(signature: str, keys: Sequence[str]) -> bool:
    if SIGNATURE.fullmatch(signature) is None:
        return False
    body = request.get_data()
    return is_one_of(signature, [hmac.new(key.encode(), body, hashlib.sha256).hexdigest() for key in keys])


blueprint.before_request(require_json)


class _Lenient(Schema):
    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE


class AttendeeSchema(_Lenient):
    """Somebody who comes to the call."""

    email = Address(required=True)
    name = fields.Raw(allow_none=True)
    first_name = fields.Raw(allow_none=True, data_key="firstName")
    timezone = fields.Raw(allow_none=True, data_key="timeZone")


class BookingSchema(_Lenient):
    """A call."""

    uid = fields.String(required=True)
    start_time = Moment(required=True, data_key="startTime")
    rescheduled_from = fields.String(allow_none=True, data_key="rescheduleUid")
    responses = fields.Raw(allow_none=True)
    metadata = fields.Raw(allow_none=True)
    attendees = fields.List(fields.Nested(AttendeeSchema), required=True, validate=validate.Length(1, 50))


class MissedAttendeeSchema(_Lenient):
    """Somebody who came or did not."""

    email = Address(required=True)
    no_show = fields.Boolean(required=True, data_key="noShow")


class NoShowUpdatedSchema(_Lenient):
    """Who missed a call, or did not after all."""

    uid = fields.String(required=True, data_key="bookingUid")
    attendees = fields.List(fields.Nested(MissedAttendeeSchema), required=True, validate=validate.Length(1, 50))


class CalcomSchema(_Lenient):
    """One event of Cal.com; the older envelope has its booking inside and no trigger."""

    example: ClassVar[dict[str, Any]] = {
        "triggerEvent": "BOOKING_CREATED",
        "createdAt": "2026-11-24T10:00:00Z",
        "payload": {
            "uid": "bk_1",
            "startTime": "2026-12-01T15:00:00Z",
            "attendees": [{"email": "delivered+ana@resend.dev", "name": "Ana Roy", "timeZone": "America/Toronto"}],
        },
    }

    trigger = fields.String(required=True, data_key="triggerEvent")
    created_at = Moment(allow_none=True, data_key="createdAt")
    payload = fields.Dict(load_default=dict)

    @pre_load
    def unwrap(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Turn the older envelope into the one of today."""
        inner = data.get("payload")
        if not isinstance(inner, dict) or not isinstance(inner.get("booking"), dict):
            return data
        trigger = data.get("triggerEvent") or data.get("type") or "BOOKING_CREATED"
        booking = {"uid": str(inner["booking"].get("id", "")) or None, **inner["booking"]}
        return {**data, "triggerEvent": trigger, "payload": booking}


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
    booking = dict(BookingSchema().load(envelope["payload"]))
    calendar = _calendar(campaign, booking["attendees"][0], {**_tracking(booking), **_answers(booking)})
    at = booking["start_time"]
    variables = {"call_time": plain(at), "scheduled_time": plain(at)}
    common = {"happened_at": envelope.get("created_at"), "call_at": at, "variables": variables}
    calls = [calendar.call(event, occurrence=occurrence_of(booking["uid"]), **common)]
    old = booking.get("rescheduled_from")
    if event is Event.BOOKING and old and old != booking["uid"]:
        left = calendar.call(
            Event.BOOKING_RESCHEDULED, occurrence=occurrence_of(old), happened_at=envelope.get("created_at")
        )
        return [left, *calls]
    return calls


def _booked(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    return _booking_calls(campaign, envelope, Event.BOOKING)


def _cancelled(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    return _booking_calls(campaign, envelope, Event.BOOKING_CANCELLED)


def _no_show_updated(campaign: str, envelope: Mapping[str, Any]) -> list[Call]:
    update = dict(NoShowUpdatedSchema().load(envelope["payload"]))
    occurrence = occurrence_of(update["uid"])
    at = call_at_of(current_deps(), campaign, occurrence)
    return [
        _calendar(campaign, attendee).call(
            Event.NO_SHOW if attendee["no_show"] else Event.NO_SHOW_UNDONE,
            occurrence=occurrence,
            happened_at=envelope.get("created_at"),
            call_at=at,
            variables={"scheduled_time": plain(at)} if at else {},
        )
        # In one order, so that two updates never wait for each other's people in a circle.
        for attendee in sorted(update["attendees"], key=lambda attendee: normalised(attendee["email"]))
    ]


def _tracking(booking: Mapping[str, Any]) -> dict[str, str]:
    found = booking.get("metadata")
    metadata = found if isinstance(found, dict) else {}
    return {name: str(value)[:255] for name, value in metadata.items() if name.startswith("utm_") and value}


def _answers(booking: Mapping[str, Any]) -> dict[str, Any]:
    found = booking.get("responses")
    rows = [row for name, row in found.items() if name not in KNOWN_ANSWERS] if isinstance(found, dict) else []
    told = {
        str(row.get("label"))[:255]: str(row["value"])[:2000]
        for row in rows[:20]
        if isinstance(row, dict) and row.get("value")
    }
    return {"answers": told} if told else {}


def _calendar(campaign: str, attendee: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> Calendar:
    return Calendar(
        campaign=campaign,
        source="calcom",
        email=attendee["email"],
        name=attendee.get("name"),
        first_name=attendee.get("first_name"),
        timezone=attendee.get("timezone"),
        facts=facts or {},
    )


READERS: Mapping[str, Callable[[str, Mapping[str, Any]], list[Call]]] = {
    "BOOKING_CREATED": _booked,
    "BOOKING_RESCHEDULED": _booked,
    "BOOKING_CANCELLED": _cancelled,
    "BOOKING_NO_SHOW_UPDATED": _no_show_updated,
}
