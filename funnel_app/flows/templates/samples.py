"""Samples: made-up readers, so that a letter can be looked at before a lead receives it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.timing import deadline_after
from funnel_app.deps import Deps
from funnel_app.flows.templates.compose import Reader, booked_calls

ADDRESS = "delivered+sample@resend.dev"
# Nobody has this token, so the link in a sample letter ends nobody's emails.
NOBODYS_TOKEN = "sample"  # noqa: S105 (no secret)
NAMED = {"first_name": "Ana", "business_name": "Salon Ana", "email": ADDRESS}
ASSESSMENTS: Mapping[str, Mapping[str, Any]] = {
    "critical": {
        "assessment_score": 34,
        "red_systems": 3,
        "orange_systems": 2,
        "yellow_systems": 2,
        "green_systems": 1,
        "gps_score": 30,
        "money_score": 25,
        "weakest_system_1": "Money",
        "weakest_system_2": "Marketing",
        "strongest_system": "Client Experience",
        "revenue_leak_total": 48_500,
    },
    "urgent": {
        "assessment_score": 56,
        "red_systems": 1,
        "orange_systems": 2,
        "yellow_systems": 3,
        "green_systems": 2,
        "gps_score": 55,
        "money_score": 60,
        "weakest_system_1": "Marketing",
        "weakest_system_2": "Sales",
        "strongest_system": "Team",
        "revenue_leak_total": 27_300,
    },
    "optimize": {
        "assessment_score": 82,
        "red_systems": 0,
        "orange_systems": 1,
        "yellow_systems": 2,
        "green_systems": 5,
        "gps_score": 85,
        "money_score": 80,
        "weakest_system_1": "Operations",
        "weakest_system_2": "Leadership",
        "strongest_system": "Money",
        "revenue_leak_total": 9_800,
    },
}
SAMPLES = tuple(ASSESSMENTS)


def sample(deps: Deps, campaign: Campaign, name: str) -> Reader:
    """Return a made-up reader whose segment is that of the sample, with everything known that a hook can tell."""
    today = deps.now().astimezone(ZoneInfo(campaign.timezone)).date()
    return Reader(
        campaign=campaign,
        contact={**NAMED, **ASSESSMENTS[name]},
        hook=_told(deps, campaign),
        deadline=deadline_after(campaign.deadline, today),
        timezone=None,
        unsubscribe_url=f"{deps.settings.public_url}/u/{NOBODYS_TOKEN}",
        booked=booked_calls(deps, campaign.name),
    )


def _told(deps: Deps, campaign: Campaign) -> dict[str, Any]:
    today = deps.now().astimezone(ZoneInfo(campaign.timezone)).replace(hour=15, minute=0, second=0, microsecond=0)

    def day(number: int) -> str:
        return (today + timedelta(days=number)).isoformat()

    return {
        "call_time": day(3),
        "scheduled_time": day(-1),
        "call_date": day(-1),
        "diagnostic_call_date": day(3),
        "portal_url": "https://portal.businessx.example",
        "reschedule_url": "https://calendly.com/reschedulings/sample",
        "salon_address": "1 Market Street, Toronto",
        "observation_dates": [(today + timedelta(days=number)).date().isoformat() for number in (10, 11)],
        "start_date": (today + timedelta(days=7)).date().isoformat(),
        "package_type": "BusOS Complete",
        "objections": ["the price", "the time"],
    }
