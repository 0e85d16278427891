"""Variables: their values for one email."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from funnel_app.campaigns import spoken
from funnel_app.campaigns.assessment_values import assessment_values
from funnel_app.campaigns.catalogue import CATALOGUE, NAMES, Source, Variable, example_values
from funnel_app.campaigns.links import unlinked
from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.own_variables import catalogue_of, own_values
from funnel_app.campaigns.season import deadline_ahead, is_open, opens_next

__all__ = ["CATALOGUE", "NAMES", "CampaignFacts", "FunnelFacts", "Source", "Variable", "example_values", "values"]

OF_CONTACT = tuple(row for row in CATALOGUE.values() if row.source is Source.CONTACT)
OF_HOOK = tuple(row for row in CATALOGUE.values() if row.source is Source.HOOK)
HERE = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What variables need besides the campaign's file; `today` is in the business's zone, `zone` the reader's."""

    deadline: date
    today: date
    bookings: int
    zone: ZoneInfo
    now: datetime | None = None

    @property
    def reader_day(self) -> date:
        """The date where the reader is; the business's if the time is unknown."""
        return self.now.astimezone(self.zone).date() if self.now else self.today


@dataclass(frozen=True, slots=True)
class FunnelFacts:
    """What Funnel itself provides."""

    unsubscribe_url: str
    company_name: str
    company_address: str
    current_year: int
    public_url: str


def values(
    campaign: Campaign,
    *,
    contact: Mapping[str, object],
    hook: Mapping[str, object],
    facts: CampaignFacts,
    funnel: FunnelFacts,
) -> dict[str, object]:
    """Return every variable with a value or a default; others are absent, so that a strict renderer fails."""
    found = {
        **_contact(contact),
        **assessment_values(contact, campaign),
        **_campaign(campaign, facts, funnel),
        **_hook(hook, facts),
        **own_values(campaign, hook),
        **_funnel(funnel),
    }
    known = catalogue_of(campaign)
    return {name: _shown(known[name], value) for name, value in found.items() if value is not None}


def _is_typed(variable: Variable) -> bool:
    """Say whether a variable's value was typed by a lead, or by somebody who notes what leads say."""
    foreign = variable.source in {Source.CONTACT, Source.ASSESSMENT, Source.HOOK}
    return foreign and variable.type in {"text", "date", "time"} and not variable.name.startswith("personalized_tip")


def _contact(contact: Mapping[str, object]) -> dict[str, object]:
    return {variable.name: contact.get(variable.name) or variable.default for variable in OF_CONTACT}


def _campaign(campaign: Campaign, facts: CampaignFacts, funnel: FunnelFacts) -> dict[str, object]:
    bookings = max(campaign.bookings_baseline + facts.bookings, 0)
    return {
        **_season(campaign, facts),
        "calendly_link": campaign.calendly_link,
        "pdf_download_link": _download(campaign.pdf_download_link, funnel),
        "bookings_count": bookings,
        "spots_remaining": max(campaign.capacity - bookings, 0),
    }


def _download(link: str, funnel: FunnelFacts) -> str | None:
    return (funnel.public_url + link if link.startswith("/") else link) or None


def _season(campaign: Campaign, facts: CampaignFacts) -> dict[str, object]:
    season, today = campaign.season, facts.today
    deadline = deadline_ahead(campaign, facts.deadline, today)
    return {
        "season_open": is_open(season, today),
        "season_name": season.name if season else campaign.title,
        "next_season_starts": spoken.month_day(opens_next(season, today), today) if season else None,
        "deadline_date": spoken.month_day(deadline, today) if deadline else None,
        "days_to_deadline": max((deadline - today).days, 0) if deadline else None,
    }


def _hook(hook: Mapping[str, object], facts: CampaignFacts) -> dict[str, object]:
    given = {row.name: _read(row, hook[row.name], facts) for row in OF_HOOK if hook.get(row.name) not in (None, "", [])}
    return {**_of_call(hook, facts), **given}


def _of_call(hook: Mapping[str, object], facts: CampaignFacts) -> dict[str, object]:
    """Return a booking's time variables for a reader on this day."""
    coming = spoken.moment(str(hook.get("call_time")), facts.zone)
    missed = spoken.moment(str(hook.get("scheduled_time")), facts.zone)
    return {
        "call_date": spoken.weekday_date(coming.date(), facts.reader_day) if coming else None,
        "call_day": spoken.near_day(coming.date(), facts.reader_day) if coming else None,
        "call_clock": spoken.clock(coming) if coming else None,
        "missed_when": spoken.near_day(missed.date(), facts.reader_day) if missed else None,
    }


def _read(variable: Variable, value: object, facts: CampaignFacts) -> object:
    texts = [str(each) for each in (value if isinstance(value, list) else [value])]
    days = [spoken.day(text, facts.zone) for text in texts]
    if variable.type == "date" and all(days):
        return spoken.days([day for day in days if day], facts.reader_day)
    return spoken.joined([_in_words(text, facts, with_time=variable.type == "time") for text in texts])


def _in_words(text: str, facts: CampaignFacts, *, with_time: bool) -> str:
    day, at = spoken.day(text, facts.zone), spoken.moment(text, facts.zone)
    if day is None:
        return text
    told = spoken.weekday_date(day, facts.reader_day)
    return f"{told} at {spoken.clock(at)}" if at and with_time else told


def _funnel(funnel: FunnelFacts) -> dict[str, object]:
    return {
        "unsubscribe_url": funnel.unsubscribe_url,
        "company_name": funnel.company_name,
        "company_address": funnel.company_address,
        "current_year": funnel.current_year,
    }


def _shown(variable: Variable, value: object) -> object:
    if variable.type == "link":
        # Each lead has a link of their own to leave by, all at one place.
        return value if _is_safe_place("/".join(str(value).split("/", 3)[:3])) else ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return unlinked(value) if isinstance(value, str) and _is_typed(variable) else value


@lru_cache(256)
def _is_safe_place(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE))
