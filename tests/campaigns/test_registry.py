"""What is derived from all files together: rows for tables, titles, and who may be written to in testing mode."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.canary import canary_of
from funnel_app.campaigns.fields import CampaignError
from funnel_app.campaigns.incoming_calls import called, sender
from funnel_app.campaigns.model import SAME, EmailOne, Event, Hook, Kind, Step
from funnel_app.campaigns.recipients import is_test_recipient
from funnel_app.campaigns.registry import Registry, UnknownCampaign, load_registry
from funnel_app.campaigns.sequence_rows import sequence_rows, shown

REGISTRY = load_registry(("evergreen",))
CHRISTMAS = REGISTRY.campaign("christmas")
TWICE = Registry({"christmas": CHRISTMAS, "spring": replace(CHRISTMAS, name="spring")})
BOOKED = {
    "campaign": "christmas",
    "sequence": "precall_prep",
    "handler": "christmas-precall-prep-handler",
    "kind": "transactional",
    "priority": 0,
    "starts_on": "booking",
    "hook": "/webhook/christmas/booking",
    "legacy_id": "5445a75a-ae20-4d65-8120-7237e68ae0d5",
    "steps": 3,
    "live": ["-3d", "-1d", "-2h"],
    "testing": ["-6×", "-3×", "-1×"],
    "off_season": "Out of season its event starts the same.",
}


def test_a_table_has_a_row_for_each_sequence():
    rows = {row["sequence"]: row for row in sequence_rows(REGISTRY)}
    assert rows["precall_prep"] == BOOKED
    assert (rows["evergreen_results"]["legacy_id"], rows["evergreen_results"]["off_season"]) == (None, None)
    alone = Registry({"christmas": replace(CHRISTMAS, hooks={})})
    assert {(row["hook"], row["legacy_id"]) for row in sequence_rows(alone)} == {(None, None)}


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(0, "0d"), (5, "5m"), (60, "1h"), (90, "90m"), (1440, "1d"), (1500, "25h"), (-120, "-2h"), (-4320, "-3d")],
)
def test_a_delay_is_shown_in_its_largest_whole_unit(minutes, told):
    assert shown(timedelta(minutes=minutes)) == told


def test_an_address_starts_what_is_not_about_one_call():
    per_call = {"noshow_recovery", "precall_prep"}
    assert REGISTRY.sequence_titles()["five_day"] == "Five-day follow-up"
    assert set(REGISTRY.sequence_titles()) - set(REGISTRY.startable_titles()) == per_call
    assert REGISTRY.startable_titles()["five_day"] == "Five-day follow-up"


def test_a_name_that_two_campaigns_have_is_told_with_its_campaign():
    five_day = CHRISTMAS.sequences["five_day"]
    assert (REGISTRY.name_of(five_day), TWICE.name_of(five_day)) == ("five_day", "christmas/five_day")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda: REGISTRY.campaign("easter"), "There is no campaign 'easter'; there are christmas, evergreen."),
        (
            lambda: REGISTRY.sequence("evergreen", "easter"),
            "Campaign evergreen has no sequence 'easter'; it has evergreen_welcome, evergreen_results.",
        ),
        (
            lambda: REGISTRY.hook("evergreen", "maybe"),
            "Campaign evergreen opens no hook 'maybe'; it opens signup, booking, calendly, calcom, onboarding.",
        ),
    ],
)
def test_what_is_not_there_is_named_with_what_is(asked, told):
    with pytest.raises(UnknownCampaign) as error:
        asked()
    assert str(error.value) == told


def test_an_extra_campaign_is_active_where_a_setting_names_it_and_a_wrong_name_is_told():
    assert list(load_registry().campaigns) == ["christmas"]
    with pytest.raises(CampaignError) as error:
        load_registry(("easter", "evergreen"))
    words = "EXTRA_CAMPAIGNS: there is no campaign 'easter'; there are christmas, evergreen"
    assert error.value.faults[0] == words and len(error.value.faults) == 1


def test_what_no_file_names_any_more_is_called_by_its_key_in_words():
    assert REGISTRY.title_of_campaign("christmas") == "Christmas Surge"
    assert REGISTRY.title_of_campaign("old_spring") == "Old spring"
    assert REGISTRY.title_of_sequence("christmas", "old_one") == "Old one"


def test_the_name_of_the_canary_is_taken():
    text = 'name = "canary"\n'
    with pytest.raises(CampaignError) as error:
        Registry.load({"canary.toml": text + REST})
    assert error.value.faults == ["canary: this name is taken by the internal campaign"]


REST = """
title = "Another"
timezone = "UTC"
[hooks.signup]
[sequences.welcome]
hook = "signup"
flow = "signup"
starts_on = "opt_in"
kind = "marketing"
steps = [{ template = "welcome_1", after = "0d", test_after = 0 }]
"""


def test_a_canary_is_a_sequence_of_one_text_that_nothing_ends_or_delays():
    campaign = canary_of(CHRISTMAS)
    (sequence,) = campaign.sequences.values()
    like = CHRISTMAS.sequences["lead_nurture"]
    assert (campaign.name, campaign.title, list(campaign.sequences)) == ("canary", "Canary", ["canary"])
    hook = Hook(
        name="signup",
        path="/webhook/canary/signup",
        legacy_paths=(),
        legacy_id=None,
        handler="canary-canary-handler",
    )
    assert campaign.hooks == {"signup": hook}
    step = Step(1, "lead_nurture_email_1", timedelta(0), 0, in_days=True, title="Day 1: your holiday playbook")
    told = replace(like, name="canary", title="Test run", campaign="canary", flow="canary", steps=(step,))
    rules = {"handler": "canary-canary-handler", "starts_on": Event.OPT_IN, "kind": Kind.TRANSACTIONAL}
    ends = {"exits": frozenset(), "exits_elsewhere": frozenset(), "per_occurrence": False, "reentry": "never"}
    first = {"email_1": EmailOne.FUNNEL, "email_1_by_entrance": {}, "off_season": SAME, "window": None}
    assert sequence == replace(told, **rules, **ends, **first, max_lateness=timedelta(hours=1))


def test_a_canary_of_a_campaign_without_opt_ins_has_the_first_text_there_is():
    booked = CHRISTMAS.sequences["precall_prep"]
    (sequence,) = canary_of(replace(CHRISTMAS, sequences={"precall_prep": booked})).sequences.values()
    assert sequence.steps[0].template == booked.steps[0].template


@pytest.mark.parametrize(
    ("event", "hook", "title"),
    [
        ("opt_in", "signup", "Sign-up"),
        ("assessment", "signup", "Assessment"),
        ("no_show", "calendly", "Missed call"),
        (None, "calcom", "Cal.com"),
        (None, "new_door", "New door"),
    ],
)
def test_a_call_is_called_by_what_it_reports_or_by_where_it_came_in(event, hook, title):
    assert called(event, hook) == title
    assert (sender("keyboard"), sender("zapier")) == ("a person", "zapier")


@pytest.mark.parametrize(
    ("allowed", "may"),
    [([], False), (["ana@x.test"], True), (["Ana@X.test"], True), (["*@x.test"], True), (["b@x.test"], False)],
)
def test_testing_mode_mails_those_it_names(allowed, may):
    assert is_test_recipient("ana@x.test", allowed) is may
