"""The starter templates for the owner's Notion are without fault, and say only what may be known of a lead."""

import re
from datetime import date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from funnel_app.campaigns.catalogue import NAMES
from funnel_app.campaigns.registry import whole_registry
from funnel_app.campaigns.variables import CampaignFacts, FunnelFacts, values
from funnel_app.flows.templates.samples import ASSESSMENTS
from funnel_app.flows.templates.starters import STARTERS, find_starter
from funnel_app.gateways.notion.chunks import MOST_CHUNKS, chunks
from funnel_app.letters.letter import Envelope, Letter, compose
from funnel_app.letters.page import read
from funnel_app.letters.parts import prepare
from funnel_app.letters.render import Parts
from funnel_app.letters.validation.draft import Draft, Sample
from funnel_app.letters.validation.judge import judge

REGISTRY = whole_registry()
CAMPAIGN = REGISTRY.campaign("christmas")
KEYS = REGISTRY.template_keys()
FUNNEL = FunnelFacts(
    unsubscribe_url="https://funnel.example/u/token",
    company_name="BusinessX Inc.",
    company_address="1 Example Street, Toronto",
    current_year=2026,
    public_url="https://funnel.example",
)
ENVELOPE = Envelope(
    sender="BusinessX <hello@mail.example>",
    to="ana@client.example",
    reply_to=None,
    unsubscribe_url=FUNNEL.unsubscribe_url,
    company_name=FUNNEL.company_name,
    company_address=FUNNEL.company_address,
    marketing=True,
    tags={},
)
# What the schemas of the hooks insist on, and nothing else: an email that needs more would be held.
LEAST = {
    "lead_nurture": ({}, {}),
    "five_day": ({"red_systems": 0}, {}),
    "noshow_recovery": ({}, {"scheduled_time": "2026-12-01T15:00:00+00:00"}),
    "postcall_maybe": ({}, {"call_date": "2026-12-01"}),
    "onboarding_phase1": ({}, {}),
    "precall_prep": ({}, {"call_time": "2026-12-03T20:00:00+00:00"}),
    "evergreen_welcome": ({}, {}),
    "evergreen_results": ({"red_systems": 0}, {}),
}
CAMPAIGN_OF = {step.template: campaign for campaign, _, step in REGISTRY.steps()}
SEQUENCE_OF = {step.template: sequence.name for _, sequence, step in REGISTRY.steps()}
NAMED = {"first_name": "Ana", "business_name": "Salon Luz", "email": "ana@client.example"}
ASSESSED = {
    **NAMED,
    "assessment_score": 52,
    "red_systems": 1,
    "orange_systems": 2,
    "yellow_systems": 3,
    "green_systems": 2,
    "weakest_system_1": "Marketing",
    "weakest_system_2": "Money",
    "strongest_system": "Team",
    "gps_score": 40,
    "money_score": 35,
    "revenue_leak_total": 14200,
}
HOOK = {
    "call_time": "2026-12-03T20:00:00+00:00",
    "scheduled_time": "2026-12-01T15:00:00+00:00",
    "call_date": "2026-12-01",
    "diagnostic_call_date": "2026-12-04",
    "portal_url": "https://portal.example",
    "reschedule_url": "https://calendar.example/move",
    "salon_address": "2 Salon Street",
    "observation_dates": ["2027-01-08", "2027-01-09"],
    "start_date": "2027-01-05",
    "package_type": "BusOS Complete",
    "objections": ["price", "time"],
}


TORONTO = ZoneInfo("America/Toronto")


def known(contact, hook, today=date(2026, 11, 24), campaign=CAMPAIGN):
    noon = datetime.combine(today, time(12), TORONTO)
    facts = CampaignFacts(deadline=date(2026, 12, 5), today=today, bookings=0, zone=TORONTO, now=noon)
    return values(campaign, contact=contact, hook=hook, facts=facts, funnel=FUNNEL)


@cache
def ready(key: str) -> Parts:
    return prepare(*find_starter(key))


def written(key: str, given: dict[str, object]) -> Letter:
    return compose(ready(key), given, ENVELOPE)


def full(key: str, **more) -> Letter:
    return written(key, {**known(ASSESSED, HOOK, campaign=CAMPAIGN_OF[key]), **more})


def test_every_key_has_its_starter_and_there_is_none_without_a_key():
    assert {path.stem for path in STARTERS.glob("*.html")} == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_passes_the_gate_without_any_problem_and_fits_into_notion(key):
    subject, html = find_starter(key)
    told = {name: known({**NAMED, **about}, HOOK, campaign=CAMPAIGN_OF[key]) for name, about in ASSESSMENTS.items()}
    samples = tuple(Sample(name, values, ENVELOPE) for name, values in told.items())
    assert len(samples) > 1 and judge(Draft(subject, html, "Active", NAMES, samples)).problems == ()
    assert len(chunks(html)) <= MOST_CHUNKS // 4
    assert not re.search(r"\[(body|preview|reason)\]", html)


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_needs_nothing_that_its_hook_may_leave_out(key):
    contact, hook = LEAST[SEQUENCE_OF[key]]
    letter = written(key, known({"email": "ana@client.example", **contact}, hook, campaign=CAMPAIGN_OF[key]))
    assert "Hi there," in letter.text
    assert not letter.subject.startswith(("there", "your business"))


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_greets_its_reader_and_leaves_no_tag_in_any_part(key):
    letter = full(key)
    assert "Hi Ana," in letter.html
    assert letter.text.startswith("BusinessX\n")
    assert not re.search(r"[{}\[\]]", letter.subject + letter.text)
    assert len(letter.subject) <= 70


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_says_how_to_leave_who_writes_and_by_what_right_exactly_once(key):
    letter = full(key)
    for part in (letter.html, letter.text):
        assert part.count("/u/token") == part.count("1 Example Street") == part.count("© 2026 BusinessX Inc.") == 1
        assert "Eight systems, one plan: the BusOS framework." in part
        assert ("You receive this email because" in part) != ("No wish for our other emails?" in part)


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_is_in_short_lines_and_plain_words(key):
    body = full(key).text.split("Eight systems")[0]
    sentences = [s.split() for s in re.split(r"[.!?:]\s|\n", body)]
    assert max(map(len, sentences)) <= 25
    assert not re.search(r"!!|\b(leverage|unlock|game.changer|synergy|skyrocket|10x)\b", body, re.IGNORECASE)


def test_every_variable_of_the_catalogue_is_used_somewhere():
    texts = "".join(subject + html for subject, html in map(find_starter, KEYS))
    tags = " ".join(re.findall(r"\{[{%].*?[%}]\}", texts))
    assert {name for name in NAMES if not re.search(rf"\b{name}\b", tags)} == set()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("christmas_email_1", ("assessment results", "December 5")),
        ("christmas_email_2", ("$500K mistake", "framework")),
        ("christmas_email_3", ("Six chairs",)),
        ("christmas_email_4", ("Everything you get",)),
        ("christmas_email_5", ("Final call", "December 5")),
    ],
)
def test_the_five_days_have_the_subjects_of_their_themes(key, words):
    assert all(word in full(key).subject for word in words)


def test_the_asks_grow_from_a_link_to_a_button_to_now():
    assert 'class="button"' not in find_starter("christmas_email_3")[1].split("<body>")[1]
    assert "Choose a time for your call" in full("christmas_email_4").html
    assert "Book my call now" in full("christmas_email_5").html


@pytest.mark.parametrize("segment", ["CRITICAL", "URGENT", "OPTIMIZE"])
@pytest.mark.parametrize("key", ["christmas_email_1", "christmas_email_4"])
def test_each_segment_gets_its_own_words(key, segment):
    others = {full(key, segment=other).text for other in ("CRITICAL", "URGENT", "OPTIMIZE") if other != segment}
    assert full(key, segment=segment).text not in others


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 11, 26), "In 9 days, on December 5,"),
        (date(2026, 12, 4), "Tomorrow, on December 5,"),
        (date(2026, 12, 5), "Today, on December 5, we stop"),
        (date(2026, 12, 6), "The next holiday season starts on October 1, 2027."),
    ],
)
def test_the_final_call_counts_days_only_while_there_are_some(today, words):
    assert words in " ".join(written("christmas_email_5", known(ASSESSED, HOOK, today)).text.split())


@pytest.mark.parametrize("key", KEYS)
def test_after_the_deadline_no_starter_speaks_of_it(key):
    late = written(key, known(ASSESSED, HOOK, today=date(2026, 12, 9)))
    assert not re.search(r"\b\d+ days?\b|December 5|[Ff]inal call|this season", late.subject + late.text)


@pytest.mark.parametrize("key", KEYS)
def test_no_open_places_are_not_advertised(key):
    full_up = full(key, spots_remaining=0, bookings_count=30).text
    assert not re.search(r"still open|places? (is|are) left|have \d+ places?", full_up)


OFFERS = ("christmas_email_4", "christmas_email_5", "lead_nurture_email_5", "postcall_maybe_email_3")
LITTLE = ({"assessment_score": 12}, {"red_systems": 0}, {"red_systems": 3}, {"orange_systems": 4})


@pytest.mark.parametrize("key", OFFERS)
def test_one_place_is_one(key):
    text = full(key, spots_remaining=1, bookings_count=1).text
    assert re.search(r"\b1 (place|call|is)\b", text) and not re.search(r"\b1 (places|calls|are)\b", text)


@pytest.mark.parametrize("known_of", LITTLE)
@pytest.mark.parametrize("key", [key for key in KEYS if key.startswith("christmas")])
def test_a_lead_of_whom_little_is_known_reads_no_number_that_nobody_gave(key, known_of):
    text = written(key, known({**NAMED, **known_of}, {})).text
    given = {str(value) for value in known_of.values()}
    told = set(re.findall(r"\b\d+(?= (?:red|orange|yellow|green|/ 100))", text))
    assert told <= given
    assert ("You have built something" in text) is False


def test_money_is_written_as_people_do():
    assert "about $14,200 a year" in full("christmas_email_2").text
    assert "about $14K a year" in full("christmas_email_5").text
    assert "about $600 a year" in full("christmas_email_5", revenue_leak_total=600, TotalRevenueLeak_K=0.6).text


@pytest.mark.parametrize(("given", "target"), [({}, "calendar.example/move"), ({"reschedule_url": ""}, "calendly.com")])
def test_a_missed_call_is_moved_where_that_can_be_done(given, target):
    (link,) = [link for link in read(full("noshow_recovery_email_1", **given).html).links if "/u/" not in link]
    assert target in link
