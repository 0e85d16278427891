"""What a call says of the person: what it leaves out stays as it was."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from funnel_app.rules.facts import ContactFacts

# Whatever else is said of a person is one of their properties.
COLUMNS = (
    "first_name",
    "name",
    "business_name",
    "timezone",
    "consent_at",
    "consent_text",
    "consent_source",
    "consent_ip",
)


def updated(contact: ContactFacts, email: str, facts: Mapping[str, Any], now: datetime) -> ContactFacts:
    """Return a person brought up to date by what was said: the address as it is written now, and these facts.

    A `guessed_first_name` only fills a gap: what somebody typed stays.
    """
    given = {name: value for name, value in facts.items() if value is not None}
    guess = given.pop("guessed_first_name", None)
    columns = {name: given.pop(name) for name in COLUMNS if name in given}
    columns.setdefault("first_name", contact.first_name or guess)
    return replace(contact, email=email, properties={**contact.properties, **given}, updated_at=now, **columns)
