"""Bookings: how many calls of a campaign are booked, of which letters say how many places are left."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Event, Mode
from funnel_app.campaigns.season import began_on
from funnel_app.deps import Deps
from funnel_app.ledger import hook_events

BOOKED = (Event.BOOKING,)
GIVEN_UP = (Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED)


def booked_calls(deps: Deps, campaign: str) -> int:
    """Return how many calls were booked since a campaign's season began, or ever where there is none.

    Each counts once, without those given up, tests and canaries.
    """
    with deps.reads() as session:
        since = _season_began(deps, deps.registry.campaign(campaign))
        return hook_events.count_standing(session, campaign, (BOOKED, GIVEN_UP), Mode.LIVE, since)


def _season_began(deps: Deps, campaign: Campaign) -> datetime | None:
    if campaign.season is None:
        return None
    zone = ZoneInfo(campaign.timezone)
    return datetime.combine(began_on(campaign.season, deps.now().astimezone(zone).date()), time(), zone)
