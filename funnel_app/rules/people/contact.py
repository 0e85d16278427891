"""Contact: what a call says of a person; fields that it leaves out stay as they were."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.replaced import replaced

# Every other field is a property.
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
    """Anybody who may have consented to be mailed."""

    @property
    def consent_at(self) -> datetime | None:
        """When they consented; None if unknown."""

    @property
    def consent_text(self) -> str | None:
        """The wording they consented to; None if unknown."""


class Known(Consenting, Protocol):
    """Anybody with columns and properties."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Every field that is no column."""


EVIDENCE = ("consent_at", "consent_text", "consent_source", "consent_ip")
NAMES = ("first_name", "name", "business_name")
# The property of addresses that were corrected since.
EARLIER = "earlier_addresses"


def updated(contact: ContactFacts, email: str, facts: Mapping[str, Any], now: datetime) -> ContactFacts:
    """Return a person updated by what a call says: the address as now written, and these fields.

    A `guessed_first_name` only fills a gap; a name that somebody typed stays.
    """
    given = {name: value for name, value in facts.items() if value is not None}
    guess = given.pop("guessed_first_name", None)
    columns = {name: given.pop(name) for name in COLUMNS if name in given}
    columns = without_half_evidence(contact, columns)
    columns.setdefault("first_name", contact.first_name or guess)
    return replaced(contact, email=email, properties={**contact.properties, **given}, updated_at=now, **columns)


def has_consented(contact: Consenting) -> bool:
    """Say whether there is evidence that this person consented to be mailed."""
    return contact.consent_at is not None or contact.consent_text is not None


def without_new_names(contact: ContactFacts, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without names that differ from the known ones: anybody may fill in a form for somebody else."""
    kept = {name for name in NAMES if getattr(contact, name) is not None} if has_consented(contact) else set()
    return {name: value for name, value in facts.items() if name not in kept}


def only_new(contact: Known, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a list or an older system that hooks have not set: hooks are more recent."""
    consented = has_consented(contact)
    return {
        name: value
        for name, value in facts.items()
        if not (consented and name in EVIDENCE)
        and not (getattr(contact, name) if name in COLUMNS else contact.properties.get(name) is not None)
    }


def without_half_evidence(contact: Consenting, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Keep consent evidence whole: return all four fields of one call, or none if the new ones say less."""
    rest = {name: value for name, value in columns.items() if name not in EVIDENCE}
    evidence = {name: columns.get(name) for name in EVIDENCE}
    says_when_or_what = evidence["consent_at"] or evidence["consent_text"]
    if not any(evidence.values()) or (has_consented(contact) and not says_when_or_what):
        return rest
    return rest | evidence


def with_earlier(contact: Known, address: str) -> dict[str, Any]:
    """Return a person's properties with the address that was corrected: it leaves with all else of them."""
    return {**contact.properties, EARLIER: [*earlier_addresses(contact), address]}


def earlier_addresses(contact: Known) -> list[str]:
    """Return the addresses that a person was known by before corrections, the oldest first."""
    kept = contact.properties.get(EARLIER)
    return [str(each) for each in kept] if isinstance(kept, list) else []
