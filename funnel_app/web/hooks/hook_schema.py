"""What every hook may carry: the person, their consent, and where they came from."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from funnel_app.rules.people.typed_text import ip_of, tracking_of, zone_of
from funnel_app.web.hooks.decoration import DecoratedSchema
from funnel_app.web.hooks.fields import Address, Moment, Name, PersonsName, Read, Words

EVIDENCE = ("at", "text", "source", "ip")


def _tracking() -> Read:
    return Read(tracking_of, "Not a text.")


class ConsentSchema(DecoratedSchema):
    """The evidence of a person's consent."""

    at = Moment(allow_none=True)
    text = Words(longest=2000)
    source = Words(longest=255)
    ip = Read(ip_of, "Not an IP address.")


class HookSchema(DecoratedSchema):
    """What every hook may carry."""

    needed: ClassVar[frozenset[str]] = frozenset({"email"})
    example: ClassVar[dict[str, Any]] = {}

    email = Address(required=True)
    first_name = PersonsName()
    business_name = Name(longest=120)
    timezone = Read(zone_of, "Not a time zone such as America/Toronto.")
    consent = fields.Nested(ConsentSchema, allow_none=True)
    utm_source = _tracking()
    utm_medium = _tracking()
    utm_campaign = _tracking()
    utm_content = _tracking()
    utm_term = _tracking()


def contact_facts(payload: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return a payload's facts about the contact: common fields, consent, and these own fields."""
    common = ("first_name", "business_name", "timezone")
    tracking = tuple(name for name in payload if name.startswith("utm_"))
    facts = {name: payload[name] for name in (*common, *tracking, *names) if name in payload}
    consent = payload.get("consent") or {}
    evidence = {f"consent_{name}": consent[name] for name in EVIDENCE if consent.get(name) is not None}
    return {**facts, **evidence}
