"""The starter templates for the owner's Notion are without fault, and say only what may be known."""

from pathlib import Path

import pytest

from funnel_app.letters.gate import inspect
from funnel_app.letters.letter import Envelope, Letter, compose
from funnel_app.letters.render import prepare

FOLDER = Path(__file__).parents[2] / "migrations" / "notion" / "templates"
SEQUENCES = ("lead_nurture", "christmas")
KEYS = [f"{sequence}_email_{step}" for sequence in SEQUENCES for step in range(1, 6)]
LEAD = {
    "first_name": "Ana",
    "business_name": "Salon Luz",
    "email": "ana@client.example",
    "deadline_date": "December 5",
    "days_to_deadline": 9,
    "calendly_link": "https://calendar.example/call",
    "pdf_download_link": "https://funnel.example/playbook.pdf",
    "bookings_count": 18,
    "spots_remaining": 12,
    "unsubscribe_url": "https://funnel.example/u/token",
    "company_name": "BusinessX Inc.",
    "company_address": "1 Example Street, Toronto",
    "current_year": 2026,
}
ASSESSED = {
    **LEAD,
    "assessment_score": 52,
    "overall_score": 52,
    "segment": "URGENT",
    "readiness_zone": "Warning Zone",
    "red_systems": 1,
    "orange_systems": 2,
    "yellow_systems": 3,
    "green_systems": 2,
    "weakest_system_1": "Marketing",
    "personalized_tip_1": "Tip one.",
    "personalized_tip_2": "Tip two.",
    "personalized_tip_3": "Tip three.",
}
OPTIONAL = {
    "weakest_system_2": "Money",
    "strongest_system": "Team",
    "gps_score": 40,
    "money_score": 35,
    "revenue_leak_total": 14200,
    "TotalRevenueLeak_K": 14,
}
CASES = [
    *((key, LEAD) for key in KEYS if key.startswith("lead_nurture")),
    *((key, ASSESSED) for key in KEYS if key.startswith("christmas")),
    *((key, {**ASSESSED, **OPTIONAL}) for key in KEYS if key.startswith("christmas")),
]


def starter(key: str) -> tuple[str, str]:
    first, html = (FOLDER / f"{key}.html").read_text(encoding="utf-8").split("\n", 1)
    assert first.startswith("<!-- subject: ")
    assert first.endswith(" -->")
    return first.removeprefix("<!-- subject: ").removesuffix(" -->"), html


def written(key: str, values: dict[str, object]) -> Letter:
    envelope = Envelope(
        sender="BusinessX <hello@mail.example>",
        to="ana@client.example",
        reply_to=None,
        unsubscribe_url=LEAD["unsubscribe_url"],
        company_name=LEAD["company_name"],
        company_address=LEAD["company_address"],
        marketing=True,
        tags={},
    )
    return compose(prepare(*starter(key)), values, envelope)


def test_every_key_of_these_sequences_has_its_starter():
    present = {path.stem for path in FOLDER.glob("*.html")}
    assert set(KEYS) <= present


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_passes_the_gate_without_any_problem(key):
    known = {*LEAD} if key.startswith("lead_nurture") else {*ASSESSED, *OPTIONAL}
    assert inspect(*starter(key), status="Active", known=known) == ()


@pytest.mark.parametrize(("key", "values"), CASES)
def test_a_starter_renders_with_all_that_may_be_absent(key, values):
    letter = written(key, values)
    assert "Ana" in letter.html
    assert letter.text.startswith("BusinessX\n")
    assert "{" not in letter.subject + letter.text


@pytest.mark.parametrize(("key", "values"), CASES)
def test_a_starter_says_how_to_leave_and_who_writes_exactly_once(key, values):
    letter = written(key, values)
    assert letter.html.count("/u/token") == letter.text.count("/u/token") == 1
    assert letter.html.count("1 Example Street") == letter.text.count("1 Example Street") == 1


@pytest.mark.parametrize("segment", ["CRITICAL", "URGENT", "OPTIMIZE"])
def test_each_segment_gets_its_own_words_about_its_results(segment):
    texts = {each: written("christmas_email_1", {**ASSESSED, "segment": each}).text for each in ("none", segment)}
    assert (texts["none"] == texts[segment]) is (segment == "OPTIMIZE")


@pytest.mark.parametrize(("days", "words"), [(9, "In 9 days"), (1, "We stop taking"), (0, "We stop taking")])
def test_the_final_call_counts_days_only_while_there_are_some(days, words):
    assert words in written("christmas_email_5", {**ASSESSED, "days_to_deadline": days}).text


def test_no_open_calls_are_not_advertised():
    assert "Calls still open" not in written("christmas_email_5", {**ASSESSED, "spots_remaining": 0}).text
