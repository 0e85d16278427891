"""Local time: times in messages are in the business's time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from funnel_app.campaigns.spoken import time_on_day
from funnel_app.config import Settings
from funnel_app.deps import Deps


def said_at(deps: Deps, at: datetime) -> str:
    """Return a time in the business's time zone: 19:42 if today, else with its day."""
    return time_on_day(at, deps.now(), ZoneInfo(deps.settings.timezone))


def dated(settings: Settings, at: datetime) -> str:
    """Return when something was on the business's clocks, for words that are read on other days too: 3 Dec 14:02."""
    there = at.astimezone(ZoneInfo(settings.timezone))
    return f"{there.day} {there:%b %H:%M}"
