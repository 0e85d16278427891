"""Schemas of Cal.com's events: what Funnel needs is required, anything else may be missing or odd.

https://github.com/calcom/cal.com builds them (`packages/features/webhooks`).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from funnel_app.web.hooks.decoration import DecoratedSchema
from funnel_app.web.hooks.fields import Address, Id, Moment

LONGEST_UID = 2000
IN_PAYLOAD, IN_BOOKING = "payload", "payload.booking"


class AttendeeSchema(DecoratedSchema):
    """An attendee."""

    needed = frozenset({"email"})
    email = Address(required=True, mailable=False)
    name = fields.Raw(allow_none=True)
    first_name = fields.Raw(allow_none=True, data_key="firstName")
    timezone = fields.Raw(allow_none=True, data_key="timeZone")


class BookingSchema(DecoratedSchema):
    """A booking."""

    needed = frozenset({"uid", "attendees"})
    uid = Id(LONGEST_UID, required=True)
    start_time = Moment(allow_none=True, data_key="startTime")
    rescheduled_from = fields.String(allow_none=True, data_key="rescheduleUid")
    responses = fields.Raw(allow_none=True)
    metadata = fields.Raw(allow_none=True)
    attendees = fields.List(fields.Raw(allow_none=True), required=True, validate=validate.Length(1))
    status = fields.Raw(allow_none=True)
    recurring = fields.Raw(allow_none=True, data_key="recurringEvent")
    recurring_id = fields.Raw(allow_none=True, data_key="recurringEventId")
    recurring_at_google = fields.Raw(allow_none=True, data_key="existingRecurringEvent")
    kind_id = fields.Raw(allow_none=True, data_key="eventTypeId")
    kind = fields.Raw(allow_none=True, data_key="type")
    cancelled_dates = fields.Raw(allow_none=True, data_key="cancelledDates")


class MissedAttendeeSchema(DecoratedSchema):
    """An attendee who came or did not."""

    needed = frozenset({"email", "noShow"})
    email = Address(required=True, mailable=False)
    no_show = fields.Boolean(required=True, data_key="noShow")


class NoShowUpdatedSchema(DecoratedSchema):
    """Who missed a call, or did not after all."""

    needed = frozenset({"bookingUid", "attendees"})
    uid = Id(LONGEST_UID, required=True, data_key="bookingUid")
    attendees = fields.List(fields.Raw(allow_none=True), required=True, validate=validate.Length(1))


def way_of_booking(data: Mapping[str, Any]) -> str:
    """Return the path of a booking within an event, for faults: the older envelope nests it deeper."""
    inner = data.get("payload")
    return IN_BOOKING if isinstance(inner, dict) and isinstance(inner.get("booking"), dict) else IN_PAYLOAD


class CalcomSchema(DecoratedSchema):
    """One event of Cal.com; the older envelope nests the booking and has no trigger."""

    example: ClassVar[dict[str, Any]] = {
        "triggerEvent": "BOOKING_CREATED",
        "createdAt": "2026-11-24T10:00:00Z",
        "payload": {
            "uid": "bk_1",
            "startTime": "2026-12-01T15:00:00Z",
            "attendees": [{"email": "delivered+ana@resend.dev", "name": "Ana Roy", "timeZone": "America/Toronto"}],
        },
    }

    needed = frozenset({"triggerEvent", "payload"})
    trigger = fields.String(required=True, data_key="triggerEvent")
    created_at = Moment(allow_none=True, data_key="createdAt")
    payload = fields.Dict(load_default=dict)

    def unwrap(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Convert the older envelope into the current one."""
        if way_of_booking(data) == IN_PAYLOAD:
            return data
        trigger = data.get("triggerEvent") or data.get("type") or "BOOKING_CREATED"
        booking = data["payload"]["booking"]
        return {**data, "triggerEvent": trigger, "payload": {**booking, "uid": booking.get("uid") or booking.get("id")}}


# Made once: making a schema costs as much as reading a booking by it.
ATTENDEE, BOOKING = AttendeeSchema(), BookingSchema()
MISSED_ATTENDEE, NO_SHOW_UPDATED = MissedAttendeeSchema(), NoShowUpdatedSchema()
