"""What calendars share: the attendee as they know them, and answers to irrelevant events."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from werkzeug.exceptions import UnprocessableEntity

from funnel_app.campaigns.model import Event
from funnel_app.flows.addresses import normalised
from funnel_app.rules.calls.call import Call
from funnel_app.rules.people.names import LONGEST_FIRST, first_name_of, safe_name
from funnel_app.rules.people.typed_text import tracking_of, zone_of
from funnel_app.web.hooks.decoration import DROPPED
from funnel_app.web.replays import first_received_at

MOST_ANSWERS = 20
UNUSABLE = f"{DROPPED}it cannot be used."


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """One attendee in one calendar's event.

    Calendars cannot correct typed text, and stop calling after long refusals: an unusable name or time zone is dropped.
    """

    campaign: str
    source: str
    email: str
    name: object = None
    first_name: object = None
    timezone: object = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, list[str]] = field(default_factory=dict)

    def call(self, event: Event, *, occurrence: str, **more: Any) -> Call:
        """Return an attendee's event as a Call."""
        usable = {
            "name": safe_name(self.name),
            "first_name": safe_name(self.first_name, LONGEST_FIRST),
            "timezone": zone_of(self.timezone),
        }
        given = {name: getattr(self, name) for name in usable}
        left_out = {name: [UNUSABLE] for name, value in usable.items() if value is None and given[name]}
        return Call(
            campaign=self.campaign,
            hook=self.source,
            source=self.source,
            event=event,
            email=self.email,
            email_norm=normalised(self.email),
            contact={**usable, "guessed_first_name": first_name_of(usable["name"]), **self.facts},
            payload=request.get_json(),
            left_out={**self.left_out, **left_out},
            occurrence=occurrence,
            received_at=first_received_at(),
            **more,
        )


def tracking_facts(given: object) -> dict[str, str]:
    """Return where a visitor came from, as the calendar reports it."""
    rows = given.items() if isinstance(given, dict) else ()
    found = {name: tracking_of(value) for name, value in rows if name.startswith("utm_")}
    return {name: text for name, text in found.items() if text}


def answer_facts(rows: Iterable[tuple[object, object]]) -> dict[str, Any]:
    """Return a visitor's answers to the calendar's own questions."""
    told = {str(question)[:255]: str(said)[:2000] for question, said in islice(rows, MOST_ANSWERS) if said}
    return {"answers": told} if told else {}


def acknowledge(reason: str, hook_id: UUID | None = None) -> ResponseReturnValue:
    """Respond to irrelevant or refused events, so that the caller does not retry."""
    nothing = dict.fromkeys(("contact_id", "handler", "enrolment_id"))
    kept = str(hook_id) if hook_id else None
    return {"status": "ignored", "hook_id": kept, **nothing, "ended": [], "emails": [], "reason": reason}, 200


class Unusable(UnprocessableEntity):
    """A payload whose inner part is invalid; `data` is where flask-smorest keeps faults too."""

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__()
        self.data = {"messages": {"json": dict(errors)}}


@contextmanager
def answers(part: str) -> Iterator[None]:
    """Turn faults of a payload's inner part into a 422 that names them by path."""
    try:
        yield
    except ValidationError as fault:
        raise Unusable({part: fault.messages}) from None
