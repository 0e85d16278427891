"""What a call says of the person: what it leaves out stays as it was."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

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


class Consenting(Protocol):
    """Whoever may have agreed to be mailed."""

    @property
    def consent_at(self) -> datetime | None:
        """When; None where nobody said."""

    @property
    def consent_text(self) -> str | None:
        """To which words; None where nobody said."""


class Known(Consenting, Protocol):
    """Whoever is known by columns and properties."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Whatever is no column."""


EVIDENCE = ("consent_at", "consent_text", "consent_source", "consent_ip")
NAMES = ("first_name", "name", "business_name")


def updated(contact: ContactFacts, email: str, facts: Mapping[str, Any], now: datetime) -> ContactFacts:
    """Return a person brought up to date by what was said: the address as it is written now, and these facts.

    A `guessed_first_name` only fills a gap: what somebody typed stays.
    """
    given = {name: value for name, value in facts.items() if value is not None}
    guess = given.pop("guessed_first_name", None)
    columns = {name: given.pop(name) for name in COLUMNS if name in given}
    columns = without_half_evidence(contact, columns)
    columns.setdefault("first_name", contact.first_name or guess)
    return replace(contact, email=email, properties={**contact.properties, **given}, updated_at=now, **columns)


def has_consented(contact: Consenting) -> bool:
    """Say whether there is evidence that this person agreed to be mailed."""
    return contact.consent_at is not None or contact.consent_text is not None


def without_new_names(contact: ContactFacts, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said of a person without other names than theirs: a stranger may fill in a form for them."""
    kept = {name for name in NAMES if getattr(contact, name) is not None} if has_consented(contact) else set()
    return {name: value for name, value in facts.items() if name not in kept}


def only_new(contact: Known, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a list or an older system says that nobody told here: what the hooks told is newer."""
    consented = has_consented(contact)
    return {
        name: value
        for name, value in facts.items()
        if not (consented and name in EVIDENCE)
        and not (getattr(contact, name) if name in COLUMNS else contact.properties.get(name) is not None)
    }


def without_half_evidence(contact: Consenting, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns with evidence that is one call's: all four fields, or none where it says less than there is."""
    rest = {name: value for name, value in columns.items() if name not in EVIDENCE}
    evidence = {name: columns.get(name) for name in EVIDENCE}
    says_when_or_what = evidence["consent_at"] or evidence["consent_text"]
    if not any(evidence.values()) or (has_consented(contact) and not says_when_or_what):
        return rest
    return rest | evidence
