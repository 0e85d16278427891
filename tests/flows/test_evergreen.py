"""The campaign of all year beside the season's: from the public door to the console, each with what the other does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.parse import CampaignError
from funnel_app.campaigns.registry import load_registry, whole_registry
from funnel_app.flows.monitoring.checks.season import seasons
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.simulation.play_year import rehearse
from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.serving import check_templates
from tests.apps import application
from tests.factories import HOOK_SECRET, make_deps
from tests.flows.leads import assess, email_ids, look, opt_in
from tests.web.console import Operator

ANA = "ana@resend.dev"


@pytest.fixture
def both(sqlite):
    """A live business with both campaigns, and the texts that it begins with."""
    deps = replace(make_deps(sqlite, testing_mode=False), registry=whole_registry())
    populate(deps)
    return deps


def sign_up(deps, address=ANA, **facts):
    proof = {"Authorization": f"Bearer {HOOK_SECRET}"}
    answer = (
        application(deps)
        .test_client()
        .post("/webhook/evergreen/signup", json={"email": address, **facts}, headers=proof)
    )
    assert answer.status_code == 202
    return answer.json


def test_it_runs_only_where_it_is_named():
    assert list(load_registry().campaigns) == ["christmas"]
    assert list(load_registry(("evergreen",)).campaigns) == ["christmas", "evergreen"]
    with pytest.raises(CampaignError, match="EXTRA_CAMPAIGNS: there is no campaign 'easter'; there are christmas"):
        load_registry(("easter",))


def test_a_lead_of_all_year_who_comes_into_the_season_gets_no_letter_twice_over(both):
    first = sign_up(both, first_name="Ana")["emails"][0]["id"]
    assert deliver(both, [type(email_ids(opt_in(both, "bea@resend.dev"))[0])(first)])
    both.now.forward(days=1)
    receipt = opt_in(both)
    assert [row["reason"] for row in receipt.ended] == ["opted in on 25 November"]
    assert "Good to have you here" in both.mailer.sent()[0]["text"]


def test_its_letters_give_way_to_those_of_the_season_and_speak_of_no_deadline(both):
    assess(both, "cleo@resend.dev")
    (sent,) = [e for e in email_ids(assess(both)) if look(both, e).step == 1]
    deliver(both, [sent])
    both.now.forward(hours=1)
    late = sign_up(both, red_systems=1)["emails"][0]["id"]
    deliver(both, [type(sent)(late)])
    waits = look(both, type(sent)(late))
    assert (waits.state, waits.due_at) == ("planned", both.now() + timedelta(days=1))
    assert not [word for word in both.mailer.sent() if "December 5" in word["text"] and "cleo" in word["to"]]


def test_the_console_and_the_doctor_know_both(both):
    sign_up(both, "dora@resend.dev", first_name="Dora")
    olga = Operator(application(both).test_client())
    olga.log_in()
    drawn = olga.get("/console/sequences").text
    assert "All year: four letters" in drawn and "no more than 1 marketing email in 20 hours" in drawn
    assert (
        "Ends after these in another campaign too: assessment, booking, new client, sign-up, thinking it over." in drawn
    )
    assert "Dora" in olga.get("/console/leads?sequence=evergreen_welcome").text
    assert "All Year Round" in olga.get("/console/figures?campaign=evergreen").text
    assert "evergreen_results_email_3" in olga.get("/console/templates").text
    told = {check.name: check.detail for check in seasons(both)}
    assert told["season of evergreen"] == "runs all year, without a deadline"


def test_it_may_begin_on_any_day_of_the_year(both, monkeypatch):
    monkeypatch.setattr("funnel_app.flows.simulation.play_year.THROUGH_THE_YEAR", 2)
    only = replace(both.registry, campaigns={"evergreen": both.registry.campaign("evergreen")})
    year = replace(both, registry=only)
    check_templates(year)
    played = list(rehearse(year))
    assert [(each.sequence, each.warnings) for each in played] == [("evergreen_welcome", ()), ("evergreen_results", ())]
    assert Event.BOOKING in only.campaign("evergreen").sequences["evergreen_welcome"].exits
