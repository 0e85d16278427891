"""A season's dates are worked out from its year, as calendars and people have them."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.playbook.build import spoken, weeks, words
from assets.playbook.season import Season, Span, season_year

DEADLINE = (12, 5)
YEARS = st.integers(2020, 2100)


@pytest.mark.parametrize(
    ("year", "black_friday", "cyber_monday", "reset"),
    [
        (2024, date(2024, 11, 29), date(2024, 12, 2), date(2025, 1, 6)),
        (2025, date(2025, 11, 28), date(2025, 12, 1), date(2026, 1, 5)),
        (2026, date(2026, 11, 27), date(2026, 11, 30), date(2027, 1, 4)),
        (2028, date(2028, 11, 24), date(2028, 11, 27), date(2029, 1, 8)),
    ],
)
def test_the_days_are_those_of_the_calendar(year, black_friday, cyber_monday, reset):
    at = Season(year, DEADLINE).anchors
    assert (at["black_friday"], at["cyber_monday"], at["reset"]) == (black_friday, cyber_monday, reset)
    assert at["deadline"] == date(year, 12, 5) and at["end"] == date(year + 1, 1, 31)


@given(YEARS)
def test_black_friday_follows_the_fourth_thursday_of_november_in_every_year(year):
    at = Season(year, DEADLINE).anchors
    thursdays = [date(year, 11, day) for day in range(1, 31) if date(year, 11, day).weekday() == 3]
    assert (at["black_friday"] - thursdays[3]).days == 1
    assert (at["cyber_monday"].weekday(), at["rush"].weekday(), at["reset"].weekday()) == (0, 4, 0)


@given(YEARS)
def test_the_windows_follow_each_other_and_leave_only_christmas_day_without_a_chair_to_sell(year):
    season = Season(year, DEADLINE)
    spans = list(season.windows.values())
    assert [span.first for span in spans] == sorted(span.first for span in spans)
    assert all(span.first <= span.last for span in spans)
    covered = {span.first.fromordinal(n) for span in spans for n in _ordinals(span)}
    assert season.whole.days == len(covered) == sum(1 for _ in _ordinals(season.whole))


def _ordinals(span: Span) -> range:
    return range(span.first.toordinal(), span.last.toordinal() + 1)


@settings(max_examples=40)
@given(YEARS)
def test_every_week_of_every_season_has_something_to_do_and_every_task_its_week(year):
    season = Season(year, DEADLINE)
    tasks = words(season)["tasks"]
    found = list(weeks(season, tasks))
    assert 13 <= len(found) <= 14 and all(week.tasks for week in found)
    assert sum(len(week.tasks) for week in found) == len(tasks)
    assert found[-1].days[0] <= season.whole.last <= found[-1].days[-1]


@pytest.mark.parametrize(
    ("today", "year"), [(date(2026, 11, 24), 2026), (date(2027, 1, 31), 2026), (date(2027, 2, 1), 2027)]
)
def test_january_belongs_to_the_season_before(today, year):
    assert season_year(today) == year


def test_a_season_is_named_by_both_its_years():
    assert [Season(year, DEADLINE).label for year in (2026, 2099)] == ["2026–27", "2099–00"]


def test_a_day_is_written_as_an_anchor_and_a_number_of_days():
    season = Season(2026, DEADLINE)
    assert season.day("christmas") == date(2026, 12, 25)
    assert season.day("black_friday-25") == date(2026, 11, 2) and season.day("reset+7") == date(2027, 1, 11)
    with pytest.raises(KeyError):
        season.day("easter-1")


def test_days_are_written_as_people_write_them():
    day = date(2026, 12, 5)
    assert spoken(day) == "December 5" and spoken(day, weekday=True) == "Saturday, December 5"
    assert spoken(day, short=True) == "Dec 5" and spoken(day, short=True, weekday=True) == "Sat Dec 5"


def test_a_short_window_is_counted_in_days_and_a_long_one_in_weeks():
    season = Season(2026, DEADLINE)
    assert season.windows["black_friday"].parts == ("Day 1", "Day 2", "Day 3", "Day 4")
    assert season.windows["gifts"].parts == ("Week 1", "Week 2", "Week 3", "Week 4")
    assert season.windows["new_year"].parts == ("Week 1", "Week 2")
