"""No-show: somebody did not come to a call."""

from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from funnel_app.campaigns.model import Event
from funnel_app.rules.calls.call import Call, fitted
from funnel_app.web.hooks.common import answer, call_of, given, hook_blueprint
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Id, Link, Moment, Words
from funnel_app.web.hooks.hook_schema import HookSchema

blueprint = hook_blueprint("noshow", "Somebody missed a call")


class NoShowSchema(HookSchema):
    """A missed call, known by its calendar event."""

    example: ClassVar[dict[str, Any]] = {
        "email": "delivered+ana@resend.dev",
        "calendly_event_uri": "https://api.calendly.com/scheduled_events/E1",
        "scheduled_time": "2026-11-24T10:00:00-05:00",
        "reschedule_url": "https://calendly.com/reschedulings/E1",
    }

    needed = HookSchema.needed | {"calendly_event_uri", "calendly_event_id", "scheduled_time", "reschedule_url"}
    calendly_event_uri = Id()
    calendly_event_id = Id()
    scheduled_time = Moment(required=True)
    event_type = Words(longest=255)
    reschedule_url = Link()

    def check(self, values: dict[str, Any]) -> None:
        """Refuse a missed call without anything that identifies it."""
        if not event_of(values):
            raise ValidationError({"calendly_event_uri": ["Give calendly_event_uri or calendly_event_id."]})


def event_of(payload: dict[str, Any]) -> str | None:
    """Return the calendar event; a bare id is the end of Calendly's URI."""
    return payload.get("calendly_event_uri") or payload.get("calendly_event_id")


@blueprint.post("/<campaign>/noshow")
@documented(blueprint, NoShowSchema)
def receive_noshow(payload: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Start no-show recovery, once for each missed call."""
    return answer(noshow_call(campaign, payload))


def noshow_call(campaign: str, payload: dict[str, Any], **more: Any) -> Call:
    """Return a missed call as a Call."""
    return call_of(
        campaign,
        "noshow",
        Event.NO_SHOW,
        payload,
        occurrence=occurrence_of(event_of(payload) or ""),
        call_at=payload["scheduled_time"],
        variables=given(payload, "scheduled_time", "reschedule_url"),
        **more,
    )


def occurrence_of(event: str) -> str:
    """Return the identity of a calendar event: Calendly's URI and its bare id are the same."""
    return fitted(event.rstrip("/").rpartition("/")[2])
