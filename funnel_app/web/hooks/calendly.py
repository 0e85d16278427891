"""Calendly's events: booked, cancelled, moved, missed, and missed undone.

A move is two events, in either order: the old booking cancelled with `rescheduled`, and the new one created. There is
no event id: repeats are recognised by invitee and kind. https://developer.calendly.com/api-docs (webhooks)
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import structlog
from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields

from funnel_app.campaigns.model import Event
from funnel_app.current import current_deps
from funnel_app.rules.calls.call import Call
from funnel_app.web.auth import is_signed, require_calendar, require_json, signed_age_s
from funnel_app.web.bounded_request import HookBlueprint
from funnel_app.web.hooks.calendars import Calendar, acknowledge, answer_facts, answers, tracking_facts
from funnel_app.web.hooks.common import answer, given, plain
from funnel_app.web.hooks.decoration import LEFT_OUT, DecoratedSchema, missing, within
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Address, Link, Moment
from funnel_app.web.hooks.noshow import occurrence_of

log = structlog.get_logger()

# Calendly retries for 24 hours; whether a retry has a fresh time is undocumented.
ACCEPTED_WITHIN_S = 25 * 3600
UNUSUAL_AFTER_S = 180
HEADER = "Calendly-Webhook-Signature"

blueprint = HookBlueprint("calendly", __name__, url_prefix="/webhook", description="Calendly's own events")


@blueprint.before_request
def require_signature() -> None:
    """Require a signature under CALENDLY_SIGNING_KEY, at most 25 hours old; 404 if no key is set."""
    keys, is_genuine = current_deps().settings.calendly_signing_keys, partial(is_signed, within_s=ACCEPTED_WITHIN_S)
    require_calendar("Calendly", "CALENDLY_SIGNING_KEY", keys, HEADER, is_genuine)
    age_s = signed_age_s(request.headers.get(HEADER, ""))
    if age_s > UNUSUAL_AFTER_S:
        log.warning("calendly_signature_is_old", seconds=round(age_s))


blueprint.before_request(require_json)


class ScheduledEventSchema(DecoratedSchema):
    """The booked event."""

    uri = fields.String(allow_none=True)
    start_time = Moment(allow_none=True)


class InviteeSchema(DecoratedSchema):
    """The invitee and the booked event, which Calendly names in up to three places."""

    needed = frozenset({"email"})
    email = Address(required=True, mailable=False)
    uri = fields.String(allow_none=True)
    event = fields.String(allow_none=True)
    name = fields.Raw(allow_none=True)
    first_name = fields.Raw(allow_none=True)
    timezone = fields.Raw(allow_none=True)
    rescheduled = fields.Boolean(allow_none=True)
    reschedule_url = Link()
    tracking = fields.Raw(allow_none=True)
    questions_and_answers = fields.List(fields.Raw(allow_none=True), allow_none=True)
    scheduled_event = fields.Nested(ScheduledEventSchema, allow_none=True)


# Made once: making a schema costs as much as reading an invitee by it.
INVITEE = InviteeSchema()


class CalendlySchema(DecoratedSchema):
    """One event of Calendly."""

    example: ClassVar[dict[str, Any]] = {
        "event": "invitee.created",
        "created_at": "2026-11-24T10:00:00Z",
        "payload": {
            "uri": "https://api.calendly.com/scheduled_events/E1/invitees/I1",
            "event": "https://api.calendly.com/scheduled_events/E1",
            "email": "delivered+ana@resend.dev",
            "name": "Ana Roy",
            "timezone": "America/Toronto",
            "scheduled_event": {"start_time": "2026-12-01T15:00:00Z"},
        },
    }

    needed = frozenset({"event", "payload"})
    event = fields.String(required=True)
    created_at = Moment(allow_none=True)
    payload = fields.Dict(load_default=dict)


@blueprint.post("/<campaign>/calendly")
@documented(blueprint, CalendlySchema, ({"calendly": []},))
def receive_calendly(envelope: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Process an event of Calendly; irrelevant kinds are acknowledged."""
    current_deps().registry.campaign(campaign)
    if envelope["event"] not in EVENTS:
        return acknowledge(f"{envelope['event']} says nothing to Funnel")
    with answers("payload"):
        call = calendly_call(campaign, envelope, INVITEE.load(envelope["payload"]))
    return answer(call)


def calendly_call(campaign: str, envelope: Mapping[str, Any], invitee: Mapping[str, Any]) -> Call:
    """Return an event of Calendly as a Call. Raises ValidationError if a needed part is missing."""
    event = EVENTS[envelope["event"]](invitee)
    scheduled = invitee.get("scheduled_event") or {}
    call_at = scheduled.get("start_time")
    if call_at is None and event is Event.BOOKING:
        why = missing("scheduled_event.start_time", invitee[LEFT_OUT])
        raise ValidationError({"scheduled_event": {"start_time": why}})
    calendar = Calendar(
        campaign=campaign,
        source="calendly",
        email=invitee["email"],
        name=invitee.get("name"),
        first_name=invitee.get("first_name"),
        timezone=invitee.get("timezone"),
        facts={**tracking_facts(invitee.get("tracking")), **answer_facts(_answers(invitee))},
        left_out={**envelope[LEFT_OUT], **within("payload", invitee[LEFT_OUT])},
    )
    times = {"call_time": plain(call_at), "scheduled_time": plain(call_at)} if call_at else {}
    return calendar.call(
        event,
        occurrence=occurrence_of(_event_of(invitee, scheduled)),
        place=occurrence_of(invitee.get("uri") or ""),
        call_at=call_at,
        happened_at=envelope.get("created_at"),
        variables={**times, **given(invitee, "reschedule_url")},
    )


def _event_of(invitee: Mapping[str, Any], scheduled: Mapping[str, Any]) -> str:
    """Return the booked event's URI: its own, or the part before the invitee's."""
    of_invitee, _, _ = (invitee.get("uri") or "").partition("/invitees/")
    found = invitee.get("event") or scheduled.get("uri") or of_invitee
    if not found:
        raise ValidationError({"event": ["Missing, and neither scheduled_event.uri nor uri says which call it is."]})
    return str(found)


def _answers(invitee: Mapping[str, Any]) -> Iterator[tuple[object, object]]:
    for row in invitee.get("questions_and_answers") or []:
        if isinstance(row, dict):
            yield row.get("question"), row.get("answer")


def _cancelled(invitee: Mapping[str, Any]) -> Event:
    return Event.BOOKING_RESCHEDULED if invitee.get("rescheduled") else Event.BOOKING_CANCELLED


EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "invitee.created": lambda invitee: Event.BOOKING,
    "invitee.canceled": _cancelled,
    "invitee_no_show.created": lambda invitee: Event.NO_SHOW,
    "invitee_no_show.deleted": lambda invitee: Event.NO_SHOW_UNDONE,
}
