"""The small rules: segments, times, variables and states."""

import calendar
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import dropwhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_app.campaigns import fields
from funnel_app.campaigns.canary import canary_of
from funnel_app.campaigns.catalogue import CATALOGUE, Source, example_values
from funnel_app.campaigns.model import Event, Mode, Step, Window
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.segments import readiness_zone, segment, segment_of
from funnel_app.campaigns.states import (
    ALLOWED,
    HOLDS_SUCCESSOR,
    OPEN,
    REPORT_ORDER,
    REPORTED_BY_PROVIDER,
    STOPPED,
    WAITING,
    IllegalTransition,
    State,
    check,
    reported,
)
from funnel_app.campaigns.timing import deadline_after, due_at, into_window
from funnel_app.campaigns.variables import CampaignFacts, FunnelFacts, values

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHRISTMAS = load_registry().campaign("christmas")


@pytest.mark.parametrize(
    ("red", "orange", "expected"),
    [(2, 0, "CRITICAL"), (8, 0, "CRITICAL"), (1, 0, "URGENT"), (0, 2, "URGENT"), (1, 7, "URGENT"), (0, 1, "OPTIMIZE"),
     (0, 0, "OPTIMIZE"), (2, None, "CRITICAL"),
     (1, None, "URGENT"), (0, None, None), (None, 5, None), (None, None, None)],
)  # fmt: skip
def test_a_segment_is_what_the_counts_say_and_nothing_where_they_do_not(red, orange, expected):
    assert segment(red, orange) == segment_of({"red_systems": red, "orange_systems": orange}) == expected


@pytest.mark.parametrize(
    ("score", "zone"),
    [(0, "Crisis Zone"), (39.9, "Crisis Zone"), (40, "Warning Zone"), (69.9, "Warning Zone"), (70, "Growth Zone")],
)
def test_zones(score, zone):
    assert readiness_zone(score) == zone


def step(delay=timedelta(days=1), intervals=1):
    return Step(1, "key", delay, intervals)


def test_a_step_is_due_its_delay_after_the_anchor_or_whole_intervals_in_testing_mode():
    assert due_at(step(), NOON, mode=Mode.LIVE, interval_seconds=60) == NOON + timedelta(days=1)
    assert due_at(step(), NOON, mode=Mode.TEST, interval_seconds=7) == NOON + timedelta(seconds=7)
    assert due_at(step(-timedelta(hours=2), -1), NOON, mode=Mode.TEST, interval_seconds=60) == NOON - timedelta(
        minutes=1
    )


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime.max - timedelta(days=9)))  # noqa: DTZ901
def test_due_times_are_whole_seconds_and_never_early(anchor):
    due = due_at(step(), anchor, mode=Mode.LIVE, interval_seconds=60)
    assert due.microsecond == 0
    assert timedelta(0) <= due - (anchor + timedelta(days=1)) < timedelta(seconds=1)


def test_an_anchor_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        due_at(step(), NOON.replace(tzinfo=None), mode=Mode.LIVE, interval_seconds=60)


@pytest.mark.parametrize(
    ("deadline", "today", "expected"),
    [
        ((12, 5), date(2026, 11, 24), date(2026, 12, 5)),
        ((12, 5), date(2026, 12, 5), date(2026, 12, 5)),
        ((12, 5), date(2026, 12, 6), date(2027, 12, 5)),
        ((2, 29), date(2026, 1, 1), date(2026, 2, 28)),
        ((2, 29), date(2028, 1, 1), date(2028, 2, 29)),
    ],
)
def test_the_deadline_is_the_next_such_day(deadline, today, expected):
    assert deadline_after(deadline, today) == expected


@pytest.mark.parametrize("month", range(1, 13))
def test_a_deadline_is_a_day_that_its_month_has_in_some_year(month):
    longest = calendar.monthrange(2028, month)[1]
    assert fields.deadline(f"{month:02}-{longest}") == (month, longest)
    for day in (0, longest + 1):
        with pytest.raises(ValueError, match="is not a month and day such as 12-05"):
            fields.deadline(f"{month:02}-{day:02}")


TORONTO = ZoneInfo("America/Toronto")
DAYTIME = Window(time(8), time(20))


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ((2026, 11, 24, 8, 0), (2026, 11, 24, 8, 0)),
        ((2026, 11, 24, 19, 59), (2026, 11, 24, 19, 59)),
        ((2026, 11, 24, 20, 0), (2026, 11, 25, 8, 0)),
        ((2026, 11, 24, 3, 0), (2026, 11, 24, 8, 0)),
    ],
)
def test_a_time_outside_the_window_moves_to_the_next_opening(local, expected):
    moved = into_window(datetime(*local, tzinfo=TORONTO), DAYTIME, TORONTO)
    assert moved.tzinfo is UTC and moved == datetime(*expected, tzinfo=TORONTO)


def variables(contact=None, hook=None, bookings=0, today=date(2026, 11, 24), now=None, campaign=CHRISTMAS):
    return values(
        campaign,
        contact=contact or {},
        hook=hook or {},
        facts=CampaignFacts(
            deadline=deadline_after(campaign.deadline, min(today, date(2026, 12, 1))),
            today=now.astimezone(TORONTO).date() if now else today,
            bookings=bookings,
            zone=TORONTO,
            now=now,
        ),
        funnel=FunnelFacts(
            unsubscribe_url="https://funnel.example/u/t",
            company_name="BusinessX",
            company_address="1 Market Street",
            current_year=2026,
            public_url="https://funnel.example",
        ),
    )


ASSESSED = {
    "email": "ana@resend.dev",
    "first_name": "Ana",
    "assessment_score": 38.0,
    "red_systems": 2,
    "orange_systems": 3,
    "weakest_system_1": "money",
    "weakest_system_2": "Marketing",
    "strongest_system": "Team",
    "revenue_leak_total": 48500.0,
}


def test_names_have_friendly_defaults_and_nothing_else_is_made_up():
    found = variables({"email": "ana@resend.dev"})
    assert (found["first_name"], found["business_name"]) == ("there", "your business")
    assert not {"segment", "assessment_score", "personalized_tip_1", "portal_url"} & set(found)


def test_an_assessment_gives_its_variables_under_their_old_names_too():
    found = variables(ASSESSED)
    assert found["assessment_score"] == found["overall_score"] == 38
    assert (found["segment"], found["readiness_zone"]) == ("CRITICAL", "Crisis Zone")
    assert found["weakest_system"] == found["WeakestSystem1"] == found["weakest_system_1"] == "money"
    assert (found["WeakestSystem2"], found["StrongestSystem"]) == ("Marketing", "Team")
    assert (found["revenue_leak_total"], found["TotalRevenueLeak_K"]) == (48500, 49)
    assert found["red_systems"] == 2 and "green_systems" not in found
    assert found["personalized_tip_1"] == CHRISTMAS.tips["Money"][0]


def test_an_assessment_without_a_score_leaves_out_what_follows_from_it():
    found = variables({"email": "a@resend.dev", "red_systems": 1})
    assert found["segment"] == "URGENT"
    assert not {"readiness_zone", "TotalRevenueLeak_K", "assessment_score", "orange_systems"} & set(found)
    assert found["personalized_tip_1"] == CHRISTMAS.tips["default"][0]


@pytest.mark.parametrize(("bookings", "count", "left"), [(0, 18, 12), (5, 23, 7), (20, 38, 0), (-30, 0, 30)])
def test_bookings_add_to_the_baseline_and_places_never_fall_below_0(bookings, count, left):
    found = variables(bookings=bookings)
    assert (found["bookings_count"], found["spots_remaining"]) == (count, left)


ALL_YEAR = replace(CHRISTMAS, season=None)


@pytest.mark.parametrize(("today", "days"), [(date(2026, 11, 24), 11), (date(2026, 12, 5), 0), (date(2026, 12, 9), 0)])
def test_days_to_the_deadline(today, days):
    found = variables(today=today, campaign=ALL_YEAR)
    assert (found["deadline_date"], found["days_to_deadline"]) == ("December 5", days)
    assert found["season_open"] is True and found["season_name"] == CHRISTMAS.title
    assert "next_season_starts" not in found


@pytest.mark.parametrize(
    ("today", "opens", "days"),
    [
        (date(2026, 9, 30), "October 1", None),
        (date(2026, 10, 1), "October 1, 2027", 65),
        (date(2026, 12, 5), "October 1, 2027", 0),
        (date(2026, 12, 6), "October 1, 2027", None),
        (date(2027, 6, 1), "October 1", None),
    ],
)
def test_only_in_season_there_is_a_deadline(today, opens, days):
    found = variables(today=today)
    assert (found["season_open"], found["next_season_starts"]) == (days is not None, opens)
    assert (found.get("days_to_deadline"), "deadline_date" in found) == (days, days is not None)
    assert found["season_name"] == "holiday season"


def test_links_are_https_or_empty():
    found = variables(hook={"portal_url": "javascript:alert(1)", "reschedule_url": "http://evil.example"})
    assert (found["portal_url"], found["reschedule_url"]) == ("", "")
    assert variables(hook={"portal_url": "https://p.example/x"})["portal_url"] == "https://p.example/x"


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("/assets/christmas-surge-playbook.pdf", "https://funnel.example/assets/christmas-surge-playbook.pdf"),
        ("https://files.example/guide.pdf", "https://files.example/guide.pdf"),
        ("", None),
    ],
)
def test_a_download_is_the_campaigns_own_and_a_campaign_without_one_has_none(link, told):
    assert variables(campaign=replace(CHRISTMAS, pdf_download_link=link)).get("pdf_download_link") == told


def test_lists_of_a_hook_are_joined_and_empty_ones_are_absent():
    found = variables(hook={"objections": ["price", "time"], "package_type": "", "observation_dates": []})
    assert found["objections"] == "price and time"
    assert not {"package_type", "observation_dates"} & set(found)


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("call_time", "2026-12-03T20:00:00+00:00", "Thursday, December 3 at 3:00 PM EST"),
        ("scheduled_time", "2026-07-01T04:05:00Z", "Wednesday, July 1 at 12:05 AM EDT"),
        ("call_date", "2026-12-02T03:00:00Z", "Tuesday, December 1"),
        ("call_time", "2027-01-05T20:00:00+00:00", "Tuesday, January 5, 2027 at 3:00 PM EST"),
        ("start_date", "2027-01-05", "Tuesday, January 5, 2027"),
        ("start_date", "2026-12-15", "Tuesday, December 15"),
        ("start_date", "right after the holidays", "right after the holidays"),
        ("observation_dates", ["2026-12-08"], "Tuesday, December 8"),
        ("observation_dates", ["2027-01-08", "2027-01-09"], "Friday, January 8 and Saturday, January 9, 2027"),
        (
            "observation_dates",
            ["2026-12-08", "2026-12-09", "2026-12-10"],
            "Tuesday December 8, Wednesday December 9 and Thursday December 10",
        ),
        (
            "observation_dates",
            ["2026-12-30", "2027-01-08"],
            "Wednesday, December 30 and Friday, January 8, 2027",
        ),
        ("observation_dates", ["2027-01-08", "a Monday in spring"], "Friday, January 8, 2027 and a Monday in spring"),
        ("objections", ["the price", "the time", "the team"], "the price, the time and the team"),
    ],
)
def test_times_are_told_as_people_say_them_where_the_reader_lives(name, given, read):
    assert variables(hook={name: given})[name] == read


CALL = datetime(2026, 12, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "day", "missed"),
    [
        (timedelta(hours=5), "today", "today"),
        (timedelta(hours=16), "tomorrow", "tomorrow"),
        (timedelta(days=3), "on Thursday", "on Thursday"),
        (timedelta(days=7), "on Thursday, December 3", "on Thursday, December 3"),
        (timedelta(hours=-8), "today", "today"),
        (timedelta(hours=-9), "yesterday", "yesterday"),
        (timedelta(days=-4), "on Thursday", "on Thursday"),
        (timedelta(days=-40), "on Thursday, December 3, 2026", "on Thursday, December 3, 2026"),
    ],
)
def test_the_day_of_a_call_is_told_as_it_is_on_the_day_of_reading(before, day, missed):
    at = CALL.isoformat()
    found = variables(hook={"call_time": at, "scheduled_time": at}, now=CALL - before)
    assert (found["call_day"], found["missed_when"], found["call_clock"]) == (day, missed, "3:00 PM EST")
    assert found["call_date"].startswith("Thursday, December 3")


def test_where_no_time_is_known_no_day_is_told():
    found = variables(hook={"call_time": "some day", "scheduled_time": "2026-12-03"})
    assert not {"call_day", "call_clock", "call_date", "missed_when"} & set(found)


@pytest.mark.parametrize(
    ("leak", "dollars", "thousands"), [(600, 600, 0.6), (52000.55, 52001, 52), (1_250_000, 1_250_000, 1250), (0, 0, 0)]
)
def test_sums_are_whole_and_thousands_only_as_round_as_they_are_right(leak, dollars, thousands):
    found = variables({"assessment_score": 38.333333333333336, "revenue_leak_total": leak})
    assert (found["assessment_score"], found["overall_score"]) == (38, 38)
    assert (found["revenue_leak_total"], found["TotalRevenueLeak_K"]) == (dollars, thousands)


def test_everything_together_provides_every_variable_of_the_catalogue():
    hook = {name: "https://x.example" for name, row in CATALOGUE.items() if row.source == "hook"}
    hook |= {"call_time": CALL.isoformat(), "scheduled_time": CALL.isoformat()}
    contact = {
        **ASSESSED,
        "yellow_systems": 2,
        "green_systems": 1,
        "gps_score": 45.0,
        "money_score": 30.0,
        "business_name": "Salon Ana",
    }
    assert set(variables(contact, hook)) == set(CATALOGUE) == set(example_values())


@pytest.mark.parametrize("current", State)
def test_a_step_between_states_is_in_the_table_or_raises(current):
    for new in ALLOWED[current]:
        check(current, new)
    for new in set(State) - set(ALLOWED[current]):
        with pytest.raises(IllegalTransition, match=f"An email that is {current} cannot become {new}"):
            check(current, new)


def test_every_state_is_open_stopped_or_delivered():
    assert OPEN | STOPPED | {State.DELIVERED} == set(State)
    assert not OPEN & STOPPED and HOLDS_SUCCESSOR < OPEN


@given(st.lists(st.sampled_from(sorted(REPORTED_BY_PROVIDER)), max_size=8), st.sampled_from(sorted(REPORT_ORDER)))
def test_reports_in_any_order_and_number_only_move_forward_by_allowed_steps(kinds, begin):
    state = State(begin)
    for kind in kinds:
        new = reported(state, REPORTED_BY_PROVIDER[kind])
        assert REPORT_ORDER[new] >= REPORT_ORDER[state]
        if new != state:
            check(state, new)
        state = new
    told = [REPORTED_BY_PROVIDER[kind] for kind in kinds]
    if begin in WAITING:
        told = list(dropwhile(State.FAILED.__eq__, told))
    assert state == max([State(begin), *told], key=REPORT_ORDER.__getitem__)


@pytest.mark.parametrize("state", [State.CANCELLED, State.SKIPPED])
def test_what_is_over_without_going_out_is_moved_by_no_report(state):
    assert all(reported(state, report) == state for report in REPORTED_BY_PROVIDER.values())


@pytest.mark.parametrize("state", sorted(WAITING))
def test_what_waits_goes_on_by_every_report_but_a_failure_which_says_that_nothing_went_out(state):
    told = {report: reported(state, report) for report in REPORTED_BY_PROVIDER.values()}
    assert told == {report: state if report is State.FAILED else report for report in told}


def test_a_variable_says_where_its_value_comes_from():
    sources = {variable.name: variable.source for variable in CATALOGUE.values()}
    wanted = {"first_name": Source.CONTACT, "gps_score": Source.ASSESSMENT, "unsubscribe_url": Source.FUNNEL}
    assert sources | wanted == sources and set(sources.values()) == set(Source)


def test_a_canary_sends_the_first_text_of_a_new_lead_at_once_and_is_given_up_after_an_hour():
    (sequence,) = canary_of(CHRISTMAS).sequences.values()
    (step,) = sequence.steps
    assert step.template == CHRISTMAS.started_by(Event.OPT_IN).step(1).template
    assert (step.delay, sequence.max_lateness, sequence.exits) == (timedelta(0), timedelta(hours=1), frozenset())
