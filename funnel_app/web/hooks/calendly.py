"""Calendly's own events: booked, cancelled, moved, missed, not missed after all.

A move is two events, in either order: the old call cancelled with `rescheduled`, and the new one created. There is no
event id: what repeats is told by the invitee and the kind. https://developer.calendly.com/api-docs (webhooks)
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import structlog
from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, fields
from werkzeug.exceptions import NotFound, Unauthorized

from funnel_app.campaigns.model import Event
from funnel_app.current import current_deps
from funnel_app.rules.call import Call
from funnel_app.web.auth import is_signed, note_proof, require_json, signed_age_s
from funnel_app.web.hooks.calendars import Calendar, acknowledge, answers
from funnel_app.web.hooks.common import answer, plain
from funnel_app.web.hooks.documents import documented
from funnel_app.web.hooks.fields import Address, Moment
from funnel_app.web.hooks.noshow import occurrence_of
from funnel_app.web.payloads import HookBlueprint
from funnel_app.web.replays import is_replay

log = structlog.get_logger()

# Calendly tries for 24 hours, and does not say whether a repeat carries a fresh time.
ACCEPTED_WITHIN_S = 25 * 3600
UNUSUAL_AFTER_S = 180

blueprint = HookBlueprint("calendly", __name__, url_prefix="/webhook", description="Calendly's own events")


@blueprint.before_request
def require_signature() -> None:
    """Let only Calendly through, by its signature under CALENDLY_SIGNING_KEY, 25 hours old; 404 where none is set."""
    if is_replay():
        note_proof()
        return
    keys = current_deps().settings.calendly_signing_keys
    if not keys:
        raise NotFound("Calendly's events are not taken here: CALENDLY_SIGNING_KEY is not set.")
    signature = request.headers.get("Calendly-Webhook-Signature", "")
    if not is_signed(signature, keys, ACCEPTED_WITHIN_S):
        raise Unauthorized("Calendly-Webhook-Signature does not fit CALENDLY_SIGNING_KEY.")
    note_proof()
    if signed_age_s(signature) > UNUSUAL_AFTER_S:
        log.warning("calendly_signature_is_old", seconds=round(signed_age_s(signature)))


blueprint.before_request(require_json)


class ScheduledEventSchema(Schema):
    """The call."""

    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE

    start_time = Moment(required=True)


class InviteeSchema(Schema):
    """The person who booked."""

    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE

    uri = fields.String(required=True)
    event = fields.String(required=True)
    email = Address(required=True)
    name = fields.Raw(allow_none=True)
    first_name = fields.Raw(allow_none=True)
    timezone = fields.Raw(allow_none=True)
    rescheduled = fields.Boolean(allow_none=True)
    reschedule_url = fields.Raw(allow_none=True)
    tracking = fields.Dict(allow_none=True)
    questions_and_answers = fields.List(fields.Raw(allow_none=True), allow_none=True)
    scheduled_event = fields.Nested(ScheduledEventSchema, required=True)


class CalendlySchema(Schema):
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

    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE

    event = fields.String(required=True)
    created_at = Moment(allow_none=True)
    payload = fields.Dict(load_default=dict)


@blueprint.post("/<campaign>/calendly")
@documented(blueprint, CalendlySchema, ({"calendly": []},))
def receive_calendly(envelope: dict[str, Any], campaign: str) -> ResponseReturnValue:
    """Do what an event of Calendly asks for; kinds that say nothing to us are acknowledged."""
    current_deps().registry.campaign(campaign)
    if envelope["event"] not in EVENTS:
        return acknowledge(f"{envelope['event']} says nothing to Funnel")
    with answers("payload"):
        invitee = InviteeSchema().load(envelope["payload"])
    return answer(calendly_call(campaign, envelope, dict(invitee)))


def calendly_call(campaign: str, envelope: Mapping[str, Any], invitee: Mapping[str, Any]) -> Call:
    """Return an event of Calendly in the funnel's own words."""
    event = EVENTS[envelope["event"]](invitee)
    call_at = invitee["scheduled_event"]["start_time"]
    calendar = Calendar(
        campaign=campaign,
        source="calendly",
        email=invitee["email"],
        name=invitee.get("name"),
        first_name=invitee.get("first_name"),
        timezone=invitee.get("timezone"),
        facts={**_tracking(invitee), **_answers(invitee)},
    )
    return calendar.call(
        event,
        occurrence=occurrence_of(invitee["event"]),
        call_at=call_at,
        happened_at=envelope.get("created_at"),
        variables={"call_time": plain(call_at), "scheduled_time": plain(call_at), **_links(invitee)},
    )


def _tracking(invitee: Mapping[str, Any]) -> dict[str, str]:
    tracking = invitee.get("tracking") or {}
    return {name: str(value)[:255] for name, value in tracking.items() if name.startswith("utm_") and value}


def _answers(invitee: Mapping[str, Any]) -> dict[str, Any]:
    rows = [row for row in invitee.get("questions_and_answers") or [] if isinstance(row, dict)]
    told = {str(row.get("question"))[:255]: str(row.get("answer"))[:2000] for row in rows[:20]}
    return {"answers": told} if told else {}


def _links(invitee: Mapping[str, Any]) -> dict[str, str]:
    link = invitee.get("reschedule_url")
    return {"reschedule_url": link} if isinstance(link, str) and link.startswith("https://") else {}


def _cancelled(invitee: Mapping[str, Any]) -> Event:
    return Event.BOOKING_RESCHEDULED if invitee.get("rescheduled") else Event.BOOKING_CANCELLED


EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "invitee.created": lambda invitee: Event.BOOKING,
    "invitee.canceled": _cancelled,
    "invitee_no_show.created": lambda invitee: Event.NO_SHOW,
    "invitee_no_show.deleted": lambda invitee: Event.NO_SHOW_UNDONE,
}
