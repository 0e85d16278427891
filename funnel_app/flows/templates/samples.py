"""Samples: made-up recipients, to look at a letter before a lead receives it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Step
from funnel_app.campaigns.timing import deadline_of
from funnel_app.deps import Deps
from funnel_app.flows.templates.recipient import Recipient, booked_calls

ADDRESS = "delivered+sample@resend.dev"
# Nobody has this token, so the link in a sample letter unsubscribes nobody.
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


def sample(deps: Deps, campaign: Campaign, name: str, step: Step | None = None) -> Recipient:
    """Return a made-up recipient of the sample's segment, with everything that a hook can provide.

    They read now; with a step, dates fit the day on which it goes.
    """
    return made_up(deps, campaign, name, booked=booked_calls(deps, campaign.name), step=step)


def made_up(
    deps: Deps, campaign: Campaign, name: str, *, booked: int, step: Step | None = None, at: datetime | None = None
) -> Recipient:
    """Return a sample's recipient given the number of bookings, so that many samples need one query."""
    zone = ZoneInfo(campaign.timezone)
    now = (at or deps.now()).astimezone(zone)
    return Recipient(
        campaign=campaign,
        contact={**NAMED, **ASSESSMENTS[name]},
        hook={**hook_values(now, step), **_own_of_hooks(campaign)},
        deadline=deadline_of(campaign, now.date()),
        timezone=None,
        unsubscribe_url=f"{deps.settings.public_url}/u/{NOBODYS_TOKEN}",
        booked=booked,
        at=at,
    )


def _own_of_hooks(campaign: Campaign) -> dict[str, Any]:
    return {name: row.example for hook in campaign.hooks.values() for name, row in hook.variables.items()}


def hook_values(now: datetime, step: Step | None) -> dict[str, Any]:
    """Return what hooks sent for a recipient of a step now: a future or past booking, and the rest."""
    delay = step.delay if step else timedelta(0)
    reminder = delay < timedelta(0)
    coming = (now - delay if reminder else now + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    past = (now - timedelta(minutes=30) - max(delay, timedelta(0))).replace(second=0, microsecond=0)

    def day(number: int) -> str:
        return (now + timedelta(days=number)).date().isoformat()

    return {
        "call_time": coming.isoformat(),
        "scheduled_time": past.isoformat(),
        "call_date": (coming if reminder else past).isoformat(),
        "diagnostic_call_date": day(3),
        "portal_url": "https://portal.businessx.example",
        "reschedule_url": "https://calendly.com/reschedulings/sample",
        "salon_address": "1 Market Street, Toronto",
        "observation_dates": [day(10), day(11)],
        "start_date": day(7),
        "package_type": "BusOS Complete",
        "objections": ["the price", "the time"],
    }
