"""Attendees of a Cal.com booking: one is the booker, the others are guests, whose faults are ignored."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import Schema, ValidationError

from funnel_app.campaigns.model import Event
from funnel_app.flows.addresses import looked_up, normalised
from funnel_app.web.hooks.calcom_schemas import ATTENDEE

Row = Mapping[str, Any]


def loaded(schema: Schema, rows: Sequence[object]) -> tuple[list[dict[str, Any]], dict[int, Any]]:
    """Return the valid ones of some rows, and the faults of the others by index."""
    usable, faults = [], {}
    for place, row in enumerate(rows):
        try:
            usable.append(schema.load(row if isinstance(row, dict) else {}))
        except ValidationError as fault:
            faults[place] = fault.messages
    return usable, faults


def booker_of(booking: Row, event: Event) -> dict[str, Any]:
    """Return the booker: named in the form's answers to a new booking, else the first attendee.

    Whoever takes a seat may be listed after earlier ones. If the booker has no usable address, the answers have it
    (https://github.com/calcom/cal.diy/issues/17703); an event about all attendees needs any one of them. Raises
    ValidationError if there is none.
    """
    usable, faults = loaded(ATTENDEE, booking["attendees"])
    asked = _answered(booking, "email")
    named = [row for row in usable if isinstance(asked, str) and normalised(row["email"]) == looked_up(asked)]
    if event is Event.BOOKING and named and not booking.get("rescheduled_from"):
        return dict(named[0])
    if 0 not in faults:
        return dict(usable[0])
    if asked is not None:
        return _by_answers(booking, asked)
    if event is not Event.BOOKING and usable:
        return dict(usable[0])
    raise ValidationError({"attendees": {0: faults[0]}})


def _by_answers(booking: Row, asked: object) -> dict[str, Any]:
    rows: Iterator[Row] = (row for row in booking["attendees"] if isinstance(row, dict))
    named = next((row for row in rows if row.get("email") == asked), None) or booking["attendees"][0]
    try:
        return dict(ATTENDEE.load({**(named if isinstance(named, dict) else {}), "email": asked}))
    except ValidationError as fault:
        raise ValidationError({"responses": {"email": {"value": fault.messages_dict.get("email", [])}}}) from None


def _answered(booking: Row, name: str) -> object:
    responses = booking.get("responses")
    row = responses.get(name) if isinstance(responses, dict) else None
    return row.get("value") if isinstance(row, dict) else row
