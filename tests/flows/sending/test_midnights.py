"""Midnights: a letter is of today or not, whatever zone its reader and the business live in."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo, available_timezones

import pytest

from funnel_app.campaigns.registry import load_registry
from funnel_app.flows.sending.submit import MIDNIGHTS_EVERY_S, is_of_today

MONTHS = [datetime(year, month, 1, tzinfo=UTC) for year in range(2026, 2036) for month in range(1, 13)]


@pytest.mark.parametrize("zone", ["America/St_Johns", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Apia"])
@pytest.mark.parametrize("seconds", [1, 1000])
def test_a_letter_is_of_today_until_midnight_where_it_is_read(zone, seconds):
    email = SimpleNamespace(enrolment=SimpleNamespace(campaign="christmas", contact=SimpleNamespace(timezone=zone)))
    midnight, while_, second = datetime(2026, 12, 7, tzinfo=ZoneInfo(zone)), timedelta(seconds=seconds), timedelta(0, 1)
    registry = load_registry()
    assert is_of_today(registry, email, midnight, midnight + while_)
    assert is_of_today(registry, email, midnight - while_ - second, midnight - second)
    assert not is_of_today(registry, email, midnight - second, midnight + while_)


def test_no_zone_has_its_midnight_but_at_a_quarter_of_an_hour():
    offsets = {ZoneInfo(name).utcoffset(at).total_seconds() for name in available_timezones() for at in MONTHS}
    assert {offset % MIDNIGHTS_EVERY_S for offset in offsets} == {0}
