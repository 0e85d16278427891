"""What calendars share: a person as they know them, and answers to what says nothing to us."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from werkzeug.exceptions import UnprocessableEntity

from funnel_app.campaigns.model import Event
from funnel_app.flows.addresses import normalised
from funnel_app.rules.call import Call
from funnel_app.web.hooks.fields import time_zone
from funnel_app.web.hooks.names import first_name_of, safe_name
from funnel_app.web.replays import first_received_at


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """One person in one calendar's event.

    A calendar cannot mend what a stranger typed, and stops telling us anything if we refuse for long: a name or time
    zone that we cannot use is left out.
    """

    campaign: str
    source: str
    email: str
    name: object = None
    first_name: object = None
    timezone: object = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def call(self, event: Event, *, occurrence: str, **more: Any) -> Call:
        """Return an event of this person in the funnel's own words."""
        name = safe_name(self.name)
        return Call(
            campaign=self.campaign,
            hook=self.source,
            source=self.source,
            event=event,
            email=self.email,
            email_norm=normalised(self.email),
            contact={
                "name": name,
                "first_name": safe_name(self.first_name, 60) or first_name_of(name),
                "timezone": _usable_zone(self.timezone),
                **self.facts,
            },
            payload=request.get_json(),
            occurrence=occurrence,
            received_at=first_received_at(),
            **more,
        )


def _usable_zone(zone: object) -> str | None:
    try:
        time_zone(str(zone))
    except ValidationError:
        return None
    return str(zone)


def acknowledge(reason: str) -> ResponseReturnValue:
    """Answer what needs no work, so that the caller does not come again."""
    nothing = dict.fromkeys(("hook_id", "contact_id", "handler", "enrolment_id"))
    return {"status": "ignored", **nothing, "ended": [], "emails": [], "reason": reason}, 200


class Unusable(UnprocessableEntity):
    """A payload whose inner part cannot be used; `data` is where flask-smorest keeps faults too."""

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__()
        self.data = {"messages": {"json": dict(errors)}}


@contextmanager
def answers(part: str) -> Iterator[None]:
    """Turn faults of a payload's inner part into a 422 that names them under that part."""
    try:
        yield
    except ValidationError as fault:
        raise Unusable({part: fault.messages}) from None
