"""The doctor says two weeks ahead what changes on the day after the season, for whom, and which texts are not ready."""

from datetime import datetime

import pytest

from funnel_app.flows.monitoring.checks.season import seasons
from funnel_app.flows.templates.serving import ready_version
from funnel_app.flows.templates.starters import find_starter
from tests.factories import make_deps
from tests.flows.leads import assess, opt_in


@pytest.fixture
def live(sqlite):
    return make_deps(sqlite, testing_mode=False)


def check(deps, day):
    deps.now.at = datetime.fromisoformat(f"{day}T15:00:00+00:00")
    (found,) = seasons(deps)
    return found


def write(deps, **bodies):
    for key in deps.registry.template_keys():
        subject, html = find_starter(key)
        deps.notebook.write(key, subject, bodies.get(key, html))
        ready_version(deps, key)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-10-01", "open until 5 December"),
        ("2026-11-20", "open until 5 December"),
        ("2026-12-06", "closed: the holiday season opens on 1 October"),
        ("2027-09-01", "closed: the holiday season opens on 1 October"),
    ],
)
def test_a_season_far_from_its_end_is_said_in_a_line(live, day, words):
    assert (check(live, day).status, check(live, day).detail) == ("ok", words)


def test_a_baseline_of_the_season_before_is_named_before_the_next_begins(live):
    found = check(live, "2027-09-30")
    assert found.status == "warning" and "with 18 bookings counted already" in found.detail
    assert "bookings_baseline" in found.fix


def test_two_weeks_before_its_end_it_says_what_changes_and_for_whom(live):
    live.now.at = datetime.fromisoformat("2026-12-03T15:00:00+00:00")
    write(live)
    assess(live)
    opt_in(live, "bea@resend.dev")
    found = check(live, "2026-12-03")
    assert found.status == "ok"
    assert "ends on 5 December" in found.detail
    assert "email 5 of “Five-day follow-up” is skipped (planned for 0 leads)" in found.detail
    assert "3 emails of leads who are under way are read without it" in found.detail


def test_a_text_that_would_be_held_is_named_before_that(live):
    live.now.at = datetime.fromisoformat("2026-11-24T15:00:00+00:00")
    unguarded = "<p>Hi {{ first_name }}, {{ days_to_deadline }} days to {{ deadline_date }}</p>"
    write(live, christmas_email_1=unguarded, christmas_email_5=unguarded)
    found = check(live, "2026-11-25")
    assert found.status == "warning" and "is known" in found.fix
    assert "christmas_email_1 uses days_to_deadline, deadline_date: its emails are held then" in found.detail
    assert "christmas_email_5 uses" not in found.detail, "it does not go out of season"
