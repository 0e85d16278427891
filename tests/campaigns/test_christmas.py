"""christmas.toml says exactly what the design's table says."""

from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event, Kind, Mode
from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.campaigns.sequence_rows import sequence_rows
from tests.factories import christmas_only

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MARKETING, TRANSACTIONAL = Kind.MARKETING, Kind.TRANSACTIONAL

TABLE = {
    "lead_nurture": ("signup", Event.OPT_IN, "lead_nurture_email", [n * DAY for n in range(5)], range(5), MARKETING),
    "five_day": ("signup", Event.ASSESSMENT, "christmas_email", [n * DAY for n in range(5)], range(5), MARKETING),
    "noshow_recovery": (
        "noshow-recovery", Event.NO_SHOW, "noshow_recovery_email", [5 * MINUTE, DAY, 2 * DAY], (1, 2, 3), MARKETING,
    ),
    "postcall_maybe": (
        "postcall-maybe", Event.MAYBE, "postcall_maybe_email", [HOUR, 3 * DAY, 7 * DAY], (1, 2, 3), MARKETING,
    ),
    "onboarding_phase1": (
        "onboarding", Event.ONBOARDING, "onboarding_phase1_email", [HOUR, DAY, 3 * DAY], (1, 2, 3), TRANSACTIONAL,
    ),
    "precall_prep": (
        "precall-prep", Event.BOOKING, "precall_prep_email", [-3 * DAY, -DAY, -2 * HOUR], (-6, -3, -1), TRANSACTIONAL,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def registry():
    return christmas_only()


@pytest.fixture(scope="module")
def christmas(registry):
    return registry.campaign("christmas")


def test_there_are_six_sequences_with_22_steps(registry, christmas):
    assert list(christmas.sequences) == list(TABLE)
    assert len(registry.template_keys()) == len(set(registry.template_keys())) == 22


@pytest.mark.parametrize("name", TABLE)
def test_a_sequence_is_what_the_table_says(christmas, name):
    flow, starts_on, template, delays, intervals, kind = TABLE[name]
    sequence = christmas.sequences[name]
    assert sequence.handler == f"christmas-{flow}-handler"
    assert (sequence.starts_on, sequence.kind) == (starts_on, kind)
    assert [step.template for step in sequence.steps] == [f"{template}_{n}" for n in range(1, len(delays) + 1)]
    assert [step.delay for step in sequence.steps] == delays
    assert [step.test_intervals for step in sequence.steps] == list(intervals)
    assert sequence.before_anchor is (name == "precall_prep")
    assert sequence.per_occurrence is (name in {"precall_prep", "noshow_recovery"})
    assert (sequence.max_lateness, sequence.window, sequence.reentry) == (7 * DAY, None, "never")


@pytest.mark.parametrize(
    ("event", "ended"),
    [
        (Event.OPT_IN, set()),
        (Event.ASSESSMENT, {"lead_nurture"}),
        (Event.BOOKING, {"lead_nurture", "five_day", "noshow_recovery"}),
        (Event.MAYBE, {"noshow_recovery", "five_day"}),
        (Event.NO_SHOW, set()),
        (Event.ONBOARDING, {"lead_nurture", "five_day", "noshow_recovery", "postcall_maybe"}),
        (Event.BOOKING_CANCELLED, {"precall_prep"}),
        (Event.REPLY, {"lead_nurture", "five_day", "noshow_recovery", "postcall_maybe"}),
    ],
)
def test_an_event_ends_what_the_design_says(christmas, event, ended):
    assert {sequence.name for sequence in christmas.ended_by(event)} == ended


def test_every_event_that_starts_something_starts_one_sequence(christmas):
    assert {event: christmas.started_by(event).name for _, event, *_ in TABLE.values()} == {
        row[1]: name for name, row in TABLE.items()
    }
    assert christmas.started_by(Event.BOOKING_CANCELLED) is None


def test_only_the_five_day_sequence_asks_who_sends_email_1(christmas):
    assert {name: str(sequence.email_1) for name, sequence in christmas.sequences.items()} == {
        **dict.fromkeys(TABLE, "funnel"),
        "five_day": "payload",
    }


def test_the_paths_and_ids_that_others_call_are_kept(christmas):
    hooks = christmas.hooks
    assert {name: (hook.path, hook.legacy_paths) for name, hook in hooks.items()} == {
        "signup": (
            "/webhook/christmas/signup",
            ("/webhook/christmas-signup", "/webhook/signup", "/webhook/assessment"),
        ),
        "noshow": ("/webhook/christmas/noshow", ("/webhook/calendly-noshow",)),
        "maybe": ("/webhook/christmas/maybe", ("/webhook/postcall-maybe",)),
        "onboarding": ("/webhook/christmas/onboarding", ("/webhook/onboarding-start",)),
        "booking": ("/webhook/christmas/booking", ()),
        "calendly": ("/webhook/christmas/calendly", ()),
        "calcom": ("/webhook/christmas/calcom", ("/webhook/calcom-booking",)),
    }
    assert {name: str(hook.legacy_id) for name, hook in hooks.items() if hook.legacy_id} == {
        "signup": "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0",
        "noshow": "3400e152-1cbe-4d8f-9f8a-0dd73569afa1",
        "maybe": "ed929cd9-34b3-4655-b128-1a1e08a59cbd",
        "onboarding": "db47b919-1e55-4de2-b52c-6e2b0b2a2285",
        "booking": "5445a75a-ae20-4d65-8120-7237e68ae0d5",
    }


def test_the_old_names_in_notion_are_aliases(registry):
    assert registry.find_template("christmas_email_1").aliases == ("5-Day E1:*",)
    assert registry.find_template("lead_nurture_email_1").aliases == ()
    assert registry.find_template("no_such_key") is None


def test_a_campaign_or_sequence_that_is_not_there_is_named_with_those_that_are(registry):
    with pytest.raises(UnknownCampaign, match="There is no campaign 'easter'; there are christmas"):
        registry.campaign("easter")
    with pytest.raises(UnknownCampaign, match="has no sequence 'six_day'; it has lead_nurture, five_day"):
        registry.sequence("christmas", "six_day")


def test_rows_for_tables_show_delays_as_people_write_them(registry):
    rows = {row["sequence"]: row for row in sequence_rows(registry)}
    assert rows["noshow_recovery"]["live"] == ["5m", "1d", "2d"]
    assert rows["precall_prep"]["live"] == ["-3d", "-1d", "-2h"]
    assert rows["precall_prep"]["testing"] == ["-6×", "-3×", "-1×"]
    assert {row["steps"] for row in rows.values()} == {5, 3}


def test_modes_are_two():
    assert [str(mode) for mode in Mode] == ["live", "test", "canary"]
