"""Out of season a signup starts what the campaign's file says, and what is for the season only does not go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import deliver
from tests.factories import make_deps
from tests.flows.leads import assess, call, email_ids, look, opt_in, write_templates

CHRISTMAS = (files("funnel_app.campaigns") / "christmas.toml").read_text("utf-8")
QUIET = """
[sequences.quiet_results]
hook = "signup"
flow = "signup"
starts_on = "assessment"
kind = "marketing"
steps = [{ template = "quiet_results_email_1", after = "0d", test_after = 0 }]

[tips]
"""


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T15:00:00+00:00")


@pytest.fixture
def live(sqlite) -> Deps:
    return make_deps(sqlite, testing_mode=False)


def resting(deps: Deps, off_season: str) -> Deps:
    """Return the same with another rule for assessments that come out of season."""
    text = CHRISTMAS.replace(
        'assessment"\nkind = "marketing"\noff_season = "same"', f'assessment"\nkind = "marketing"\n{off_season}'
    )
    more = QUIET if "quiet" in off_season else "[tips]\n"
    return replace(deps, registry=Registry.load({"christmas.toml": text.replace("[tips]\n", more, 1)}))


@pytest.mark.parametrize(
    ("day", "skipped"),
    [
        ("2026-12-01", []),
        ("2026-12-02", [5]),
        ("2026-12-06", [5]),
        ("2027-06-01", [5]),
        ("2026-09-27", []),
        ("2026-09-26", [5]),
    ],
)
def test_a_step_for_the_season_only_is_planned_where_its_own_day_lies_in_it(live, day, skipped):
    live.now.at = on(day)
    emails = [look(live, each) for each in email_ids(assess(live))]
    assert [email.step for email in emails if email.reason == "out of season"] == skipped
    assert {email.state for email in emails if email.step in skipped} <= {"skipped"}


def test_a_step_whose_day_was_in_season_and_that_goes_late_is_skipped_when_its_time_comes(live):
    write_templates(live)
    live.now.at = on("2026-12-01")
    ids = email_ids(assess(live))
    for each in ids[:4]:
        live.now.at = look(live, each).due_at
        deliver(live, [each])
    live.now.at = on("2026-12-06")
    deliver(live, ids[4:])
    last = look(live, ids[4])
    assert (last.state, last.reason) == ("skipped", "out of season")
    assert len(live.mailer.calls) == 4


def test_in_testing_mode_every_step_goes_on_any_day(deps):
    deps.now.at = on("2027-06-01")
    assert {look(deps, each).state for each in email_ids(assess(deps))} == {"planned"}


def test_an_event_that_starts_nothing_out_of_season_is_ignored_with_the_day_on_which_it_does_again(live):
    deps = resting(live, 'off_season = "nothing"')
    deps.now.at = on("2026-12-06")
    receipt = assess(deps)
    assert (receipt.status, receipt.emails) == ("ignored", [])
    assert receipt.reason == "“Five-day follow-up” does not start out of season: it starts again on 1 October"
    deps.now.at = on("2027-10-01")
    assert assess(deps).status == "accepted"


def test_another_sequence_stands_in_out_of_season_and_the_usual_one_starts_in_the_next(live):
    deps = resting(live, 'off_season = "quiet_results"')
    deps.now.at = on("2026-12-06")
    assert [email["template"] for email in assess(deps).emails] == ["quiet_results_email_1"]
    assert assess(deps).status == "duplicate"
    deps.now.at = on("2027-10-01")
    receipt = assess(deps)
    assert (receipt.status, len(receipt.emails)) == ("accepted", 5)


def test_what_ends_a_sequence_ends_it_also_where_it_starts_nothing_itself(live):
    deps = resting(live, 'off_season = "nothing"')
    deps.now.at = on("2026-12-06")
    opt_in(deps)
    assert [ended["sequence"] for ended in assess(deps).ended] == ["lead_nurture"]


FIRST, SECOND = "the call was in less than 2 days", "the call was in less than 13 hours"


@pytest.mark.parametrize(
    ("ahead", "reasons"),
    [
        (timedelta(days=4), [None, None, None]),
        (timedelta(hours=60), [None, None, None]),
        (timedelta(hours=30), [FIRST, None, None]),
        (timedelta(hours=14), [FIRST, None, None]),
        (timedelta(hours=5), [FIRST, SECOND, None]),
        (timedelta(minutes=20), [FIRST, SECOND, None]),
    ],
)
def test_a_reminder_gives_way_to_the_one_whose_distance_fits(live, ahead, reasons):
    at = live.now() + ahead
    receipt = enrol(live, call(event=Event.BOOKING, call_at=at, variables={"call_time": at.isoformat()}))
    emails = [look(live, each) for each in email_ids(receipt)]
    assert [email.reason for email in emails] == reasons
    assert [email.state for email in emails] == ["skipped" if reason else "planned" for reason in reasons]


def test_a_reminder_that_waited_until_the_next_one_fits_better_gives_way_to_it(live):
    write_templates(live)
    at = live.now() + timedelta(hours=40)
    ids = email_ids(enrol(live, call(event=Event.BOOKING, call_at=at, variables={"call_time": at.isoformat()})))
    live.now.at = at - timedelta(hours=5)
    deliver(live, ids[1:2])
    late = look(live, ids[1])
    assert (late.state, late.reason) == ("skipped", "the call was in less than 13 hours")


def test_a_step_of_days_keeps_the_lead_s_time_of_day_over_a_change_of_clocks(live):
    live.now.at = datetime(2026, 10, 31, 13, 0, tzinfo=UTC)
    here = [look(live, each).due_at for each in email_ids(opt_in(live))]
    there = enrol(live, call("bea@resend.dev", contact={"first_name": "Bea", "timezone": "Europe/Berlin"}))
    assert [due.hour for due in here] == [13, 14, 14, 14, 14]
    assert [look(live, each).due_at.hour for each in email_ids(there)] == [13] * 5
