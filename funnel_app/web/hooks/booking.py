"""Booking: somebody booked a call, reported by the website or the CRM."""

from typing import Any, ClassVar

from flask.typing import ResponseReturnValue

from funnel_app.campaigns.model import Event
from funnel_app.rules.calls.call import Call
from funnel_app.rules.people.names import first_name_of
from funnel_app.web.hooks.common import answer, call_of, hook_blueprint, plain
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Id, Moment, PersonsName
from funnel_app.web.hooks.hook_schema import HookSchema
from funnel_app.web.hooks.noshow import occurrence_of

blueprint = hook_blueprint("booking", "Somebody booked a call")


class BookingSchema(HookSchema):
    """A booked call."""

    example: ClassVar[dict[str, Any]] = {
        "email": "delivered+ana@resend.dev",
        "name": "Ana Roy",
        "meeting_time": "2026-12-01T10:00:00-05:00",
        "event_uri": "https://api.calendly.com/scheduled_events/E1",
    }

    needed = HookSchema.needed | {"meeting_time", "event_uri"}
    name = PersonsName(longest=120)
    meeting_time = Moment(required=True)
    event_uri = Id()


@blueprint.post("/<campaign>/booking")
@documented(blueprint, BookingSchema)
def receive_booking(payload: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Count a booking, end the sequences that led to it, and start the reminders before the call."""
    return answer(booking_call(campaign, payload))


def booking_call(campaign: str, payload: dict[str, Any], **more: Any) -> Call:
    """Return a booking as a Call; without an event_uri its time identifies it."""
    at = payload["meeting_time"]
    named = {**payload, "guessed_first_name": first_name_of(payload.get("name"))}
    return call_of(
        campaign,
        "booking",
        Event.BOOKING,
        named,
        ("name", "guessed_first_name"),
        occurrence=occurrence_of(payload.get("event_uri") or "") or plain(at),
        call_at=at,
        variables={"call_time": plain(at)},
        **more,
    )
