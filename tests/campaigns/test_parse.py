"""Campaign files: a bad one stops the start, and every fault is named with file, key and reason."""

from datetime import time, timedelta
from importlib.resources import files
from uuid import UUID

import pytest

from funnel_app.campaigns.catalogue import Source, Variable
from funnel_app.campaigns.model import (
    AtMost,
    Campaign,
    EmailOne,
    Event,
    Hook,
    Kind,
    Season,
    Sequence,
    Step,
    Window,
)
from funnel_app.campaigns.parse import CampaignError, parse
from funnel_app.campaigns.registry import Registry, load_registry
from funnel_app.campaigns.sequence_rows import sequence_rows

CHRISTMAS = (files("funnel_app.campaigns") / "christmas.toml").read_text("utf-8")
BUSINESSX = """
name = "businessx"
title = "All year round"
timezone = "Europe/Berlin"
deadline = "02-29"
capacity = 10
bookings_baseline = 0
calendly_link = "https://calendly.com/businessx/call"

[hooks.signup]

[sequences.welcome]
hook = "signup"
flow = "signup"
starts_on = "opt_in"
kind = "marketing"
window = "08:00-20:00"
max_lateness = "3d"
reentry = "after_end"
email_1 = "website"
email_1_by_entrance = { hook = "funnel" }
steps = [
  { template = "welcome_1", after = "0d", test_after = 0 },
  { template = "welcome_2", after = "90m", test_after = 1, after_deadline = "skip" },
]

[tips]
default = ["One.", "Two.", "Three."]
"""


def faults(text: str, filename: str = "businessx.toml") -> list[str]:
    with pytest.raises(CampaignError) as error:
        parse(filename, text)
    assert str(error.value).startswith("The campaign files cannot be used:\n  ")
    return error.value.faults


def test_a_second_campaign_is_one_file_and_no_code():
    registry = Registry.load({"christmas.toml": CHRISTMAS, "businessx.toml": BUSINESSX})
    assert list(registry.campaigns) == ["businessx", "christmas"]
    welcome = registry.sequence("businessx", "welcome")
    assert (welcome.handler, len(welcome.steps)) == ("businessx-signup-handler", 2)
    assert welcome.window == Window(*(at.replace() for at in (welcome.window.opens, welcome.window.closes)))
    assert (welcome.window.opens.hour, welcome.window.closes.hour, welcome.max_lateness.days) == (8, 20, 3)
    assert (welcome.reentry, welcome.email_1, welcome.email_1_by_entrance) == (
        "after_end",
        EmailOne.WEBSITE,
        {"hook": EmailOne.FUNNEL},
    )
    assert welcome.step(2).after_deadline == "skip"
    assert registry.campaign("businessx").hooks["signup"].path == "/webhook/businessx/signup"
    assert registry.campaign("businessx").started_by(Event.OPT_IN) is welcome
    assert sequence_rows(registry)[0]["live"] == ["0d", "90m"]


SEASONAL = BUSINESSX.replace('deadline = "02-29"', 'deadline = "02-29"\nseason = { from = "11-01", to = "03-31" }')
OTHER = """
[sequences.other]
hook = "signup"
flow = "signup"
starts_on = "assessment"
kind = "marketing"
exits = ["opt_in"]
steps = [{ template = "other_1", after = "0d", test_after = 0 }]

[tips]
"""


@pytest.mark.parametrize(
    ("off_season", "fault"),
    [
        ("later", "off_season: 'later' is neither same, nothing nor a sequence of this campaign"),
        ("welcome", "off_season: welcome is this sequence itself: write same"),
        ("other", "off_season: other is ended by opt_in, which would start it"),
    ],
)
def test_what_stands_in_out_of_season_can(off_season, fault):
    text = SEASONAL.replace('flow = "signup"', f'flow = "signup"\noff_season = "{off_season}"').replace("[tips]", OTHER)
    assert any(fault in line for line in faults(text))


def test_without_a_season_nothing_rests():
    text = BUSINESSX.replace('flow = "signup"', 'flow = "signup"\noff_season = "nothing"')
    assert any("off_season: the campaign has no season" in line for line in faults(text))


def test_a_season_may_span_new_year_and_a_stand_in_shares_its_event():
    other = OTHER.replace('"assessment"', '"opt_in"').replace('exits = ["opt_in"]', "")
    text = SEASONAL.replace('flow = "signup"', 'flow = "signup"\noff_season = "other"').replace("[tips]", other)
    campaign = parse("businessx.toml", text)
    assert campaign.season == Season("All year round", (11, 1), (3, 31))
    assert campaign.started_by(Event.OPT_IN).name == "welcome"
    assert campaign.started_off_season(Event.OPT_IN).name == "other"
    assert campaign.started_off_season(Event.BOOKING) is None


def test_sequences_of_one_hook_share_its_handler():
    second = BUSINESSX.replace("welcome_", "again_").replace('flow = "signup"', 'flow = "again"')
    second = second[second.index("[sequences.welcome]") : second.index("[tips]")]
    second = second.replace("[sequences.welcome]", "[sequences.again]").replace('"opt_in"', '"assessment"')
    found = faults(BUSINESSX.replace("[tips]", f"{second}\n[tips]"))
    words = "businessx-signup-handler and businessx-again-handler share the hook signup: a hook has one handler"
    assert found == [f"businessx.toml: sequences.welcome.flow: {words}"]


def test_all_faults_of_a_file_are_told_at_once():
    text = BUSINESSX.replace("02-29", "99-99").replace('"marketing"', '"spam"').replace('"3d"', '"3"')
    assert len(faults(text)) == 3


def test_what_is_not_toml_is_said():
    assert faults("name = ")[0].startswith("businessx.toml: ")


def test_a_file_without_sequences_is_a_fault():
    assert "businessx.toml: sequences: there is none" in faults('name = "businessx"')


@pytest.mark.parametrize("steps", ["[]", "7", "[7]"])
def test_a_sequence_without_steps_is_a_fault(steps):
    text = BUSINESSX[: BUSINESSX.index("steps = [")] + f"steps = {steps}\n"
    assert any("steps: must be a list of steps, one at least" in fault for fault in faults(text))


def test_two_sequences_of_one_campaign_do_not_start_on_the_same_event():
    again = BUSINESSX[BUSINESSX.index("[sequences.welcome]") : BUSINESSX.index("[tips]")]
    text = BUSINESSX.replace("[tips]", again.replace("welcome", "again") + "[tips]")
    assert any("sequences.again.starts_on: opt_in starts welcome already" in fault for fault in faults(text))


def test_two_files_do_not_share_a_name_a_template_a_path_or_an_id():
    with pytest.raises(CampaignError) as error:
        again = CHRISTMAS.replace('name = "christmas"', 'name = "christmas2026"')
        Registry.load({"christmas.toml": CHRISTMAS, "christmas2026.toml": again})
    words = str(error.value)
    at = "christmas.toml: five_day.steps[1] and christmas2026.toml: five_day.steps[1]"
    assert f"template christmas_email_1 is used twice: {at}" in words
    assert "path /webhook/assessment is used twice" in words
    assert "legacy id 1ae3a3b3-e076-49c5-9b08-9c176aa47aa0 is used twice" in words
    with pytest.raises(CampaignError, match="campaign christmas is used twice"):
        Registry.load({"christmas.toml": CHRISTMAS, "old/christmas.toml": CHRISTMAS})


def test_a_file_is_named_as_its_campaign_is():
    (found,) = faults(BUSINESSX, "easter.toml")
    assert found.startswith("easter.toml: name: is 'businessx', and the file is named easter.toml: hooks")


def test_how_much_is_enough_and_what_goes_first_is_off_unless_the_file_says_it():
    plain = parse("businessx.toml", BUSINESSX)
    assert (plain.at_most, plain.sequences["welcome"].priority) == (None, 0)
    told = BUSINESSX.replace("capacity = 10", 'capacity = 10\nat_most = "2 per 3d"')
    told = told.replace('kind = "marketing"', 'kind = "marketing"\npriority = 7')
    steered = parse("businessx.toml", told)
    assert (steered.at_most, steered.sequences["welcome"].priority) == (AtMost(2, timedelta(days=3)), 7)


@pytest.mark.parametrize("bad", ["1", "0 per 20h", "1 per 0h", "1 per 32d", "1 per day", "1 per 20h ", "-1 per 20h"])
def test_a_limit_that_is_none_is_named(bad):
    (found,) = faults(BUSINESSX.replace("capacity = 10", f'capacity = 10\nat_most = "{bad}"'))
    assert found == f"businessx.toml: at_most: {bad!r} is not a limit such as 1 per 20h, of 31 days at most"


def test_a_step_may_compare_two_templates_which_stand_in_every_list():
    told = BUSINESSX.replace('{ template = "welcome_1"', '{ title = "Hello", templates = ["welcome_1", "welcome_1b"]')
    registry = Registry.load({"businessx.toml": told})
    assert registry.template_keys() == ("welcome_1", "welcome_1b", "welcome_2")
    assert [registry.title_of_email(key) for key in registry.template_keys()] == ["Hello (A)", "Hello (B)", "Email 2"]
    assert len(registry.sequence("businessx", "welcome").steps) == 2
    with pytest.raises(CampaignError, match="template welcome_2 is used twice"):
        Registry.load({"businessx.toml": told.replace('"welcome_1b"', '"welcome_2"')})


@pytest.mark.parametrize(
    ("templates", "fault"),
    [
        ('["welcome_1"]', "templates: must be two different names"),
        ('["welcome_1", "welcome_1"]', "templates: must be two different names"),
        ('["welcome_1", "Welcome 2"]', "templates: must be two different names"),
        ('["a", "b"], aliases = ["x"]', "aliases: is of a step with one template"),
        ('["a", "b"], template = "c"', "template: is of a step with one template"),
    ],
)
def test_two_templates_that_cannot_be_compared_are_named(templates, fault):
    found = faults(BUSINESSX.replace('template = "welcome_1"', f"templates = {templates}"))
    assert any(each.startswith(f"businessx.toml: sequences.welcome.steps[1].{fault}") for each in found)


def test_faults_of_several_files_are_told_together():
    with pytest.raises(CampaignError) as error:
        Registry.load({"a.toml": "name = ", "businessx.toml": BUSINESSX.replace("02-29", "02-31")})
    assert {fault.split(":")[0] for fault in error.value.faults} == {"a.toml", "businessx.toml"}


def test_people_call_sequences_and_emails_by_titles_which_the_file_may_leave_out():
    told = BUSINESSX.replace("[sequences.welcome]", '[sequences.welcome]\ntitle = "A warm welcome"')
    told = told.replace('{ template = "welcome_1"', '{ title = "Day 1: hello", template = "welcome_1"')
    registry = Registry.load({"businessx.toml": told})
    assert registry.title_of_sequence("businessx", "welcome") == "A warm welcome"
    assert [registry.title_of_email(key) for key in ("welcome_1", "welcome_2")] == ["Day 1: hello", "Email 2"]
    assert registry.title_of_sequence("gone", "old_sequence") == "Old sequence"
    assert registry.title_of_email("old_sequence_email_3") == "Old sequence email 3"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "template welcome_1 in Notion has no subject line",
            "the text of “Day 1: hello” in Notion has no subject line",
        ),
        ("template welcome_1 uses call_day", "the text of “Day 1: hello” uses call_day"),
        ("1 cannot be sent: welcome_1 (missing)", "1 cannot be sent: “Day 1: hello” (missing)"),
        ("no page is named welcome_1", "no page is named welcome_1"),
        ("2 pages answer to welcome_1: “welcome_1”; leave one", "2 pages answer to welcome_1: “welcome_1”; leave one"),
        ("welcome_10 and my_welcome_1 are others", "welcome_10 and my_welcome_1 are others"),
        ("email 1 of businessx/welcome", "email 1 of “A warm welcome”"),
        ("businessx/signup: 2 calls", "Sign-up for “All year round”: 2 calls"),
        ("season of businessx", "season of “All year round”"),
        ("https://funnel.example/webhook/businessx/signup", "https://funnel.example/webhook/businessx/signup"),
        ("", ""),
    ],
)
def test_words_with_keys_are_told_in_titles(words, told):
    text = BUSINESSX.replace("[sequences.welcome]", '[sequences.welcome]\ntitle = "A warm welcome"')
    text = text.replace('{ template = "welcome_1"', '{ title = "Day 1: hello", template = "welcome_1"')
    assert Registry.load({"businessx.toml": text}).in_titles(words) == told


def test_a_text_is_its_text_beside_its_own_email_and_no_other():
    words = "template christmas_email_1 in Notion: no page is named christmas_email_1"
    assert load_registry().in_titles(words, "christmas_email_1").startswith("its text in Notion: no page is named")
    assert load_registry().in_titles(words, "christmas_email_2").startswith("the text of “Day 1: your results”")


@pytest.mark.parametrize(
    ("kind", "said", "ends"),
    [
        ("marketing", "", True),
        ("marketing", "reply_ends = false", False),
        ("transactional", "", False),
        ("transactional", "reply_ends = true", True),
        ("transactional", 'exits = ["reply"]', True),
    ],
)
def test_a_reply_ends_marketing_unless_the_file_says_otherwise(kind, said, ends):
    text = BUSINESSX.replace('"marketing"', f'"{kind}"', 1).replace('reentry = "after_end"', said, 1)
    assert (Event.REPLY in parse("businessx.toml", text).sequences["welcome"].exits) is ends


def test_a_campaigns_own_variables_stand_in_its_file_and_at_its_hook():
    told = '[hooks.signup.variables]\ncity = { example = "Toronto" }\n[variables]\nseats = 4\n'
    campaign = parse("businessx.toml", BUSINESSX.replace("[hooks.signup]", told))
    city = Variable("city", "text", Source.HOOK, "As signup says", "Toronto")
    assert (campaign.variables, campaign.hooks["signup"].variables) == ({"seats": 4}, {"city": city})
    assert faults(f"{BUSINESSX}\n[variables]\nopen = true") == [
        "businessx.toml: variables.open: must be a text or a number"
    ]


EVERYTHING = """
name = "spring"
title = "Spring"
extra = true
timezone = "Europe/Berlin"
season = { from = "03-01", to = "05-31", name = "spring season" }
deadline = "05-15"
capacity = 12
bookings_baseline = 3
at_most = "2 per 3d"
calendly_link = "https://calendly.com/x/call"
pdf_download_link = "/assets/x.pdf"

[hooks.signup]
legacy_paths = ["/old"]
legacy_id = "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0"
[hooks.booking]
[hooks.calcom]

[sequences.before_call]
title = "Before the call"
hook = "booking"
flow = "reminders"
starts_on = "booking"
kind = "transactional"
exits = ["booking_cancelled"]
exits_elsewhere = ["onboarding"]
per_occurrence = true
email_1 = "payload"
email_1_by_entrance = { hook = "website" }
reentry = "after_end"
off_season = "nothing"
window = "08:30-20:15"
max_lateness = "90m"
priority = 5
steps = [
  { title = "A day", template = "call_1", aliases = ["soon"], before = "1d", test_before = 2, season_only = true },
  { templates = ["call_2", "call_3"], before = "2h", test_before = 1, after_deadline = "skip" },
]

[tips]
default = ["One.", "Two.", "Three."]
"""


def test_every_key_of_a_file_is_read():
    first = Step(
        number=1, template="call_1", delay=-timedelta(days=1), test_intervals=-2, in_days=True, aliases=("soon",),
        season_only=True, title="A day",
    )  # fmt: skip
    second = Step(
        number=2, template="call_2", templates=("call_2", "call_3"), delay=-timedelta(hours=2), test_intervals=-1,
        after_deadline="skip", title="Email 2",
    )  # fmt: skip
    reminders = Sequence(
        name="before_call", title="Before the call", campaign="spring", flow="reminders",
        handler="spring-reminders-handler", starts_on=Event.BOOKING, kind=Kind.TRANSACTIONAL, steps=(first, second),
        exits=frozenset({Event.BOOKING_CANCELLED}), exits_elsewhere=frozenset({Event.ONBOARDING}), per_occurrence=True,
        email_1=EmailOne.PAYLOAD, email_1_by_entrance={"hook": EmailOne.WEBSITE}, reentry="after_end",
        off_season="nothing", window=Window(time(8, 30), time(20, 15)), max_lateness=timedelta(minutes=90), priority=5,
    )  # fmt: skip
    signup = Hook(
        name="signup", path="/webhook/spring/signup", legacy_paths=("/old",), handler=None,
        legacy_id=UUID("1ae3a3b3-e076-49c5-9b08-9c176aa47aa0"),
    )  # fmt: skip
    plain = {
        name: Hook(name=name, path=f"/webhook/spring/{name}", legacy_paths=(), legacy_id=None, handler=handler)
        for name, handler in (("booking", reminders.handler), ("calcom", None))
    }
    assert reminders.before_anchor
    assert parse("spring.toml", EVERYTHING) == Campaign(
        name="spring", title="Spring", extra=True, timezone="Europe/Berlin",
        season=Season("spring season", (3, 1), (5, 31)), deadline=(5, 15), capacity=12, bookings_baseline=3,
        calendly_link="https://calendly.com/x/call", pdf_download_link="/assets/x.pdf",
        tips={"default": ("One.", "Two.", "Three.")}, sequences={"before_call": reminders},
        hooks={"signup": signup, **plain}, at_most=AtMost(2, timedelta(days=3)),
    )  # fmt: skip


def test_what_a_file_leaves_out_is_the_least():
    text = EVERYTHING[EVERYTHING.index("[sequences") : EVERYTHING.index("reentry")]
    left_out = ("title", "exits", "per_occ", "email")
    text = "\n".join(line for line in text.split("\n") if not line.startswith(left_out))
    steps = 'steps = [{ template = "call_1", after = "1h", test_after = 1 }]'
    least = f'name = "spring"\ntimezone = "UTC"\n[hooks.booking]\n{text}\n{steps}'
    campaign = parse("spring.toml", least)
    (sequence,) = campaign.sequences.values()
    assert (campaign.title, campaign.extra, campaign.season, campaign.deadline) == ("spring", False, None, None)
    assert (campaign.capacity, campaign.bookings_baseline, campaign.at_most, campaign.tips) == (0, 0, None, {})
    assert (campaign.calendly_link, campaign.pdf_download_link, campaign.variables) == ("", "", {})
    assert (sequence.title, sequence.exits, sequence.exits_elsewhere) == ("Before call", frozenset(), frozenset())
    assert (sequence.per_occurrence, sequence.reentry, sequence.off_season) == (False, "never", "same")
    assert (sequence.email_1, sequence.email_1_by_entrance, sequence.window) == (EmailOne.FUNNEL, {}, None)
    assert (sequence.max_lateness, sequence.priority) == (timedelta(days=7), 0)
    assert sequence.steps == (Step(1, "call_1", timedelta(hours=1), 1, title="Email 1"),)
