"""Legacy rows: parse the rows that the old system kept in Notion; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns.catalogue import CATALOGUE, Source
from funnel_app.campaigns.model import Campaign, Event, Mode, Sequence
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.timing import due_at
from funnel_app.flows.addresses import NotAnAddress, required, written
from funnel_app.flows.mirror.rows import address_of
from funnel_app.gateways.notion.table import Row
from funnel_app.gateways.notion.values import Value
from funnel_app.rules.people.names import safe_name

# The hour for rows that name only the day: the next day's email is due at this time.
MAILED_AT = time(10)
LONGEST_NAME = 60
AS_VARIABLES = {
    "score": "assessment_score",
    "red": "red_systems",
    "orange": "orange_systems",
    "yellow": "yellow_systems",
    "green": "green_systems",
    "weakest": "weakest_system_1",
    "leak": "revenue_leak_total",
}
BOOKED = frozenset({"booked", "held"})


class NotUnderstood(ValueError):
    """A row that cannot be imported; the message says why and what to fix."""


@dataclass(frozen=True, kw_only=True)
class OldRow:
    """One lead in one sequence of the old system: the sent steps, with times if the row has them."""

    page_id: str
    email: str
    email_norm: str
    campaign: Campaign
    sequence: Sequence
    sent: Mapping[int, datetime | None]
    ended: bool
    began_at: datetime
    facts: Mapping[str, Any]

    @property
    def last(self) -> int:
        """The last sent step, 0 for none."""
        return max(self.sent, default=0)

    def anchor_at(self, mode: Mode, interval_seconds: int) -> datetime:
        """Return the anchor from which the next step is due as long after the last as the campaign says."""
        at = self.sent.get(self.last)
        if at is None:
            return self.began_at
        return at - (due_at(self.sequence.step(self.last), at, mode=mode, interval_seconds=interval_seconds) - at)


def read_row(registry: Registry, row: Row, now: datetime) -> OldRow:
    """Return a parsed row. Raises NotUnderstood."""
    try:
        email, email_norm = written(address_of(row)), required(address_of(row))
    except NotAnAddress as fault:
        raise NotUnderstood(str(fault)) from None
    campaign, sequence = find_sequence(registry, row)
    zone = ZoneInfo(campaign.timezone)
    sent = {
        number: _moment(value, zone, now)
        for number in range(1, len(sequence.steps) + 1)
        if (value := row.values.get(f"email_{number}_sent"))
    }
    return OldRow(
        page_id=row.id,
        email=email,
        email_norm=email_norm,
        campaign=campaign,
        sequence=sequence,
        sent=sent,
        ended=row.values.get("completed") is True,
        began_at=_moment(row.created_at, zone, now) or now,
        facts=facts_of(row),
    )


def find_sequence(registry: Registry, row: Row) -> tuple[Campaign, Sequence]:
    """Return a row's sequence, by its Sequence or its Campaign.

    A campaign's name or title alone means the sequence that an assessment starts. Raises NotUnderstood.
    """
    told = [_slug(row.values.get(key)) for key in ("sequence", "campaign")]
    for campaign in registry.campaigns.values():
        for sequence in campaign.sequences.values():
            if sequence.name in told:
                return campaign, _not_about_a_call(sequence)
    for campaign in registry.campaigns.values():
        started = campaign.started_by(Event.ASSESSMENT)
        known = {campaign.name, _slug(campaign.title)}
        if started is not None and any(name.rstrip("0123456789_") in known for name in told):
            return campaign, started
    names = ", ".join(f"{c.name}, {', '.join(c.sequences)}" for c in registry.campaigns.values())
    raise NotUnderstood(f"“{row.values.get('campaign') or ''}” is no campaign; there are {names}")


def _not_about_a_call(sequence: Sequence) -> Sequence:
    if sequence.per_occurrence:
        raise NotUnderstood(f"{sequence.name} is about one call, and the row does not say which")
    return sequence


def facts_of(row: Row) -> dict[str, Any]:
    """Return a row's facts about the person: contact columns and assessment, by variable."""
    named = {_slug(name): value for name, value in row.everything.items()}
    by_key = {AS_VARIABLES[key]: value for key, value in row.values.items() if key in AS_VARIABLES}
    facts = {name: _typed(name, value) for name, value in {**named, **by_key}.items() if _is_fact(name)}
    name, business = _name(row.values.get("name")), _name(row.values.get("business"))
    facts.update({"name": name, "first_name": facts.get("first_name") or (name or "").split(" ")[0] or None})
    facts["business_name"] = facts.get("business_name") or business
    return {name: value for name, value in facts.items() if value is not None}


def is_booked(contact: Row | None) -> bool:
    """Say whether a contact's row mentions a booked or held call."""
    return contact is not None and _slug(contact.values.get("booking")) in BOOKED


def _is_fact(name: str) -> bool:
    variable = CATALOGUE.get(name)
    return variable is not None and (variable.source is Source.ASSESSMENT or name in {"first_name", "business_name"})


def _typed(name: str, value: Value) -> Value:
    if CATALOGUE[name].type != "number":
        return _name(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _name(value: Value) -> str | None:
    # Text from Notion goes into letters: no links, nothing too long, no address as a name.
    text = " ".join(str(value or "").split())
    return safe_name(text) if len(text) <= LONGEST_NAME else None


def _slug(value: Value) -> str:
    return re.sub(r"[^a-z0-9]+", "_", str(value or "").casefold()).strip("_")


def _moment(value: Value, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return when an email was sent, at the latest now; None for a checkbox, which has no time."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if at.tzinfo is None:
        at = datetime.combine(at.date(), MAILED_AT, zone)
    return min(at.astimezone(UTC), now).replace(microsecond=0)
