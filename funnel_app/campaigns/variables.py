"""The values of variables for one email."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from funnel_app.campaigns.catalogue import CATALOGUE, NAMES, Source, Variable, example_values
from funnel_app.campaigns.links import unlinked
from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.segments import readiness_zone, segment

__all__ = ["CATALOGUE", "NAMES", "CampaignFacts", "FunnelFacts", "Source", "Variable", "example_values", "values"]

COUNTS = ("red_systems", "orange_systems", "yellow_systems", "green_systems")
SCORES = ("assessment_score", "gps_score", "money_score", "revenue_leak_total")
SYSTEMS = ("weakest_system_1", "weakest_system_2", "strongest_system")
OLD_NAMES = {
    "weakest_system": "weakest_system_1",
    "WeakestSystem1": "weakest_system_1",
    "WeakestSystem2": "weakest_system_2",
    "StrongestSystem": "strongest_system",
    "overall_score": "assessment_score",
}
HERE = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What a campaign's variables need besides its file; `zone` is where the reader lives."""

    deadline: date
    today: date
    bookings: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class FunnelFacts:
    """What Funnel itself provides."""

    unsubscribe_url: str
    company_name: str
    company_address: str
    current_year: int
    pdf_url: str


def values(
    campaign: Campaign,
    *,
    contact: Mapping[str, object],
    hook: Mapping[str, object],
    facts: CampaignFacts,
    funnel: FunnelFacts,
) -> dict[str, object]:
    """Return every variable that has a value or a default; the others are absent, so that a strict renderer says so."""
    found = {
        **_contact(contact),
        **_assessment(contact, campaign),
        **_campaign(campaign, facts, funnel),
        **_hook(hook, facts.zone),
        **_funnel(funnel),
    }
    return {name: _shown(CATALOGUE[name], value) for name, value in found.items() if value is not None}


def _is_typed(variable: Variable) -> bool:
    """Say whether a stranger, or somebody who writes down what they said, typed a variable's value."""
    foreign = variable.source in {Source.CONTACT, Source.ASSESSMENT, Source.HOOK}
    return foreign and variable.type in {"text", "date", "time"} and not variable.name.startswith("personalized_tip")


def _contact(contact: Mapping[str, object]) -> dict[str, object]:
    rows = [variable for variable in CATALOGUE.values() if variable.source is Source.CONTACT]
    return {variable.name: contact.get(variable.name) or variable.default for variable in rows}


def _assessment(contact: Mapping[str, object], campaign: Campaign) -> dict[str, object]:
    if all(contact.get(name) is None for name in ("assessment_score", *COUNTS)):
        return {}
    counts = {name: int(str(contact.get(name) or 0)) for name in COUNTS}
    given = {**counts, **{name: contact.get(name) for name in (*SCORES, *SYSTEMS)}}
    return {
        **given,
        **{new: given[old] for new, old in OLD_NAMES.items()},
        "segment": segment(counts["red_systems"], counts["orange_systems"]),
        **_of_score(given["assessment_score"]),
        **_of_leak(given["revenue_leak_total"]),
        **_tips(campaign, given["weakest_system_1"]),
    }


def _of_score(score: object) -> dict[str, object]:
    return {} if score is None else {"readiness_zone": readiness_zone(float(str(score)))}


def _of_leak(leak: object) -> dict[str, object]:
    if leak is None:
        return {}
    thousands = Decimal(str(leak)) / 1000
    return {"TotalRevenueLeak_K": int(thousands.quantize(Decimal(1), ROUND_HALF_UP))}


def _tips(campaign: Campaign, weakest: object) -> dict[str, object]:
    by_name = {name.casefold(): tips for name, tips in campaign.tips.items()}
    tips = by_name.get(str(weakest).casefold(), by_name.get("default", ()))
    return {f"personalized_tip_{number}": tip for number, tip in enumerate(tips, start=1)}


def _campaign(campaign: Campaign, facts: CampaignFacts, funnel: FunnelFacts) -> dict[str, object]:
    bookings = max(campaign.bookings_baseline + facts.bookings, 0)
    return {
        "deadline_date": f"{facts.deadline:%B} {facts.deadline.day}",
        "days_to_deadline": max((facts.deadline - facts.today).days, 0),
        "calendly_link": campaign.calendly_link,
        "pdf_download_link": campaign.pdf_download_link or funnel.pdf_url,
        "bookings_count": bookings,
        "spots_remaining": max(campaign.capacity - bookings, 0),
    }


def _hook(hook: Mapping[str, object], zone: ZoneInfo) -> dict[str, object]:
    rows = [variable for variable in CATALOGUE.values() if variable.source is Source.HOOK]
    return {row.name: _told(row, hook[row.name], zone) for row in rows if hook.get(row.name) not in (None, "", [])}


def _told(variable: Variable, value: object, zone: ZoneInfo) -> object:
    values = value if isinstance(value, list) else [value]
    return ", ".join(spoken(str(each), zone, with_time=variable.type == "time") for each in values)


def spoken(text: str, zone: ZoneInfo, *, with_time: bool) -> str:
    """Return a time or date in ISO 8601 as people say it, in the reader's time zone; any other text as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return f"{at:%A, %B} {at.day}"
    local = at.astimezone(zone)
    day = f"{local:%A, %B} {local.day}"
    return f"{day} at {local.hour % 12 or 12}:{local:%M %p %Z}" if with_time else day


def _funnel(funnel: FunnelFacts) -> dict[str, object]:
    return {
        "unsubscribe_url": funnel.unsubscribe_url,
        "company_name": funnel.company_name,
        "company_address": funnel.company_address,
        "current_year": funnel.current_year,
    }


def _shown(variable: Variable, value: object) -> object:
    if variable.type == "link":
        return value if _is_safe_link(str(value)) else ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return unlinked(value) if isinstance(value, str) and _is_typed(variable) else value


def _is_safe_link(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE))
