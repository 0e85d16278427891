"""Two campaigns, each with a sequence of the same name: what the console counts and lists keeps them apart."""

from dataclasses import replace
from importlib.resources import files

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.console.leads import find_leads
from funnel_app.flows.console.sequences import draw_sequences
from funnel_app.flows.intake.enrol import enrol
from funnel_app.ledger.queries.leads import Wanted
from tests.apps import application
from tests.flows.leads import assess, call, opt_in
from tests.web.console import Operator

SPRING = """
name = "spring"
title = "Spring Opening"
timezone = "Europe/Paris"
deadline = "04-15"
capacity = 20
bookings_baseline = 0
calendly_link = "https://calendly.com/businessx/spring-call"
[hooks.signup]
[sequences.lead_nurture]
hook = "signup"
flow = "signup"
starts_on = "opt_in"
kind = "marketing"
exits = []
steps = [{ template = "spring_email_1", after = "0d", test_after = 0 }]
[tips]
default = ["Air the rooms.", "Count the towels.", "Call ten clients."]
"""


@pytest.fixture
def two(deps) -> Deps:
    """Two leads in Christmas's lead_nurture, one in spring's, and one in a sequence that only Christmas has."""
    christmas = (files("funnel_app.campaigns") / "christmas.toml").read_text("utf-8")
    deps = replace(deps, registry=Registry.load({"christmas.toml": christmas, "spring.toml": SPRING}))
    for name in ("ana", "bea"):
        opt_in(deps, f"{name}@resend.dev")
    enrol(deps, replace(call("cleo@resend.dev", Event.OPT_IN), campaign="spring"))
    assess(deps, "dora@resend.dev")
    return deps


def test_each_campaign_s_sequence_has_counts_of_its_own(two):
    drawn = {(each.sequence.campaign, each.sequence.name): each for each in draw_sequences(two)}
    assert drawn["christmas", "lead_nurture"].enrolments == {"active": 2}
    assert drawn["spring", "lead_nurture"].enrolments == {"active": 1}
    assert [step.planned for step in drawn["spring", "lead_nurture"].steps] == [1]


def test_a_name_that_two_campaigns_have_is_told_with_the_campaign(two):
    names = {(each.sequence.campaign, each.sequence.name): each.name for each in draw_sequences(two)}
    assert names["spring", "lead_nurture"] == "spring/lead_nurture"
    assert names["christmas", "five_day"] == "five_day"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("sequence", "found"),
    [
        ("spring/lead_nurture", ["cleo"]),
        ("christmas/lead_nurture", ["bea", "ana"]),
        ("lead_nurture", ["cleo", "bea", "ana"]),
        ("five_day", ["dora"]),
    ],
)
def test_leads_are_filtered_by_the_sequence_of_one_campaign(two, sequence, found):
    rows = find_leads(two, Wanted(sequence=sequence)).rows
    assert [row.contact.email.partition("@")[0] for row in rows] == found


@pytest.mark.both_databases
def test_leads_and_sequences_are_told_with_their_campaign(two):
    olga = Operator(application(two).test_client())
    olga.log_in()
    leads = olga.get("/console/leads").text
    assert "<div>Lead nurture" in leads and "<div>Nurture for new opt-ins" in leads and "<div>Five-day" in leads
    drawn = olga.get("/console/sequences").text
    assert "Spring Opening" in drawn and "Christmas Surge" in drawn
    assert "sequence=spring/lead_nurture&amp;state=active" in drawn and "sequence=five_day" in drawn
    one = olga.get("/console/leads?sequence=spring/lead_nurture&state=active").text
    assert "cleo@" in one and "ana@" not in one and '<option value="spring/lead_nurture" selected>' in one
    assert "Spring Opening, by the website" in olga.get("/console/hooks").text
