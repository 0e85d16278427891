"""Seasons: when they are open, when they begin again, and which deadline a letter may speak of."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel_app.campaigns.model import Mode, Season
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.season import (
    began_at,
    closes_on,
    deadline_ahead,
    is_open,
    not_on,
    off_season_in_words,
    opens_next,
    season_in_words,
)
from funnel_app.campaigns.timing import deadline_after

CHRISTMAS = load_registry().campaign("christmas")
AUTUMN, WINTER = Season("autumn", (10, 1), (12, 5)), Season("winter", (11, 15), (2, 29))
TORONTO = ZoneInfo("America/Toronto")
DAY = timedelta(days=1)
FOUR_YEARS = [date(2026, 1, 1) + number * DAY for number in range(4 * 365 + 1)]


@pytest.mark.parametrize("season", [AUTUMN, WINTER])
def test_a_season_is_open_from_its_first_day_to_its_last_each_year(season):
    opened = [day for day in FOUR_YEARS if is_open(season, day) and not is_open(season, day - timedelta(days=1))]
    closed = [day for day in FOUR_YEARS if not is_open(season, day) and is_open(season, day - timedelta(days=1))]
    assert {(day.month, day.day) for day in opened if day > FOUR_YEARS[0]} == {season.first}
    assert {(day.month, day.day) for day in closed} == ({(12, 6)} if season is AUTUMN else {(3, 1)})


@pytest.mark.parametrize("season", [AUTUMN, WINTER])
def test_the_next_season_is_the_first_day_after_this_one_that_opens_it(season):
    for day in FOUR_YEARS:
        found = opens_next(season, day)
        assert found > day and is_open(season, found) and not is_open(season, found - DAY), day
        if is_open(season, day):
            last = closes_on(season, day)
            assert is_open(season, last) and not is_open(season, last + DAY), day


@pytest.mark.parametrize("away", [0, 4, 400])
def test_a_deadline_is_spoken_of_in_its_own_season_only_whenever_the_lead_came(away):
    for day in FOUR_YEARS:
        came = day - away * DAY
        deadline = deadline_after((12, 5), came)
        ahead = deadline_ahead(replace(CHRISTMAS, season=AUTUMN), deadline, day)
        assert ahead is None or (is_open(AUTUMN, day) and 0 <= (ahead - day).days <= 65), day
        assert deadline_ahead(replace(CHRISTMAS, season=None), deadline, day) == deadline, day


def test_the_rule_of_a_season_and_the_rule_of_a_deadline_agree_where_a_season_ends_with_its_deadline():
    campaign, step = replace(CHRISTMAS, season=AUTUMN), CHRISTMAS.sequences["five_day"].step(1)
    steps = replace(step, season_only=True), replace(step, after_deadline="skip"), step
    assert [each.minds_the_day for each in steps] == [True, True, False]
    for day in FOUR_YEARS:
        told = [not_on(campaign, each, deadline_after((12, 5), day), day, Mode.LIVE) for each in steps]
        closed = not is_open(AUTUMN, day)
        assert told == (["out of season", "the deadline has passed", None] if closed else [None] * 3)


@pytest.mark.parametrize(
    ("now", "began"),
    [
        (datetime(2026, 10, 1, 4, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=TORONTO)),
        (datetime(2026, 10, 1, 3, 59, tzinfo=UTC), datetime(2025, 10, 1, tzinfo=TORONTO)),
        (datetime(2027, 9, 30, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=TORONTO)),
    ],
)
def test_a_season_began_at_midnight_of_its_first_day_where_the_business_is(now, began):
    assert began_at(replace(CHRISTMAS, season=AUTUMN), now) == began
    assert began_at(replace(CHRISTMAS, season=None), now) is None


class TestInWords:
    @pytest.mark.parametrize(
        ("day", "words"),
        [
            (date(2026, 10, 1), "The holiday season is open, through 5 December 2026."),
            (date(2026, 12, 5), "The holiday season is open, through 5 December 2026."),
            (date(2026, 12, 6), "The holiday season is closed; it opens on 1 October 2027."),
            (date(2027, 6, 15), "The holiday season is closed; it opens on 1 October 2027."),
        ],
    )
    def test_a_season_says_whether_it_is_open(self, day, words):
        assert season_in_words(CHRISTMAS, day) == words
        assert season_in_words(replace(CHRISTMAS, season=None), day) is None

    @pytest.mark.parametrize(
        ("off_season", "words"),
        [
            ("same", "Out of season its event starts the same, without email 5."),
            ("nothing", "Out of season its event starts nothing."),
            ("waiting_list", "Out of season its event starts waiting_list."),
        ],
    )
    def test_a_sequence_says_what_its_event_starts_out_of_season(self, off_season, words):
        five_day = replace(CHRISTMAS.sequences["five_day"], off_season=off_season)
        campaign = replace(CHRISTMAS, sequences={**CHRISTMAS.sequences, "five_day": five_day})
        assert off_season_in_words(campaign, five_day) == words
        assert off_season_in_words(replace(campaign, season=None), five_day) is None
