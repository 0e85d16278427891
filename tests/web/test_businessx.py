"""A second campaign is one file and no code: doors, rules and deliveries work for it, and it touches no other."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from funnel_app.campaigns.registry import Registry
from funnel_app.ledger.models import Email, Enrolment
from tests.apps import application
from tests.campaigns.test_parse import CHRISTMAS
from tests.factories import LEGACY_KEY
from tests.web.calendars import calendly, calendly_event
from tests.web.callers import post
from tests.web.test_journeys import play

DEPLOYMENT = "00000000-0000-4000-8000-00000000b001"
BUSINESSX = f"""
name = "businessx"
title = "All year round"
timezone = "Europe/Berlin"
deadline = "12-31"
capacity = 10
bookings_baseline = 0
calendly_link = "https://calendly.com/businessx/call"

[hooks.signup]
legacy_paths = ["/webhook/newsletter"]
legacy_id = "{DEPLOYMENT}"

[hooks.calendly]

[sequences.welcome]
hook = "signup"
flow = "signup"
starts_on = "opt_in"
kind = "marketing"
exits = ["booking"]
reentry = "after_end"
steps = [
  {{ template = "welcome_1", after = "0d", test_after = 0 }},
  {{ template = "welcome_2", after = "1d", test_after = 1 }},
]
"""
HANDLER = "businessx-signup-handler"
ANA = {"email": "ana@resend.dev", "first_name": "Ana"}


@pytest.fixture
def deps(deps):
    """Collaborators of a house with two campaigns, whose templates are written."""
    registry = Registry.load({"christmas.toml": CHRISTMAS, "businessx.toml": BUSINESSX})
    for key in registry.template_keys():
        deps.notebook.write(key, subject=f"About {key}", html="<p>Hi {{ first_name }}: {{ calendly_link }}</p>")
    return replace(deps, registry=registry)


@pytest.fixture
def client(deps):
    """A caller of that house."""
    return application(deps).test_client()


@pytest.mark.parametrize("path", ["/webhook/businessx/signup", "/webhook/newsletter"])
def test_its_leads_are_delivered_through_its_own_doors(client, deps, path):
    answer = post(client, ANA, path)
    assert (answer.status_code, answer.json["handler"]) == (202, HANDLER)
    assert [email["template"] for email in answer.json["emails"]] == ["welcome_1", "welcome_2"]
    play(deps, 3)
    with deps.reads() as session:
        assert [(e.template_key, e.state) for e in session.scalars(select(Email).order_by(Email.step))] == [
            ("welcome_1", "delivered"),
            ("welcome_2", "delivered"),
        ]
    assert [payload["subject"] for payload in deps.mailer.sent()] == ["About welcome_1", "About welcome_2"]


def test_the_old_websites_calls_find_it(client):
    base = f"/k/{LEGACY_KEY}/api/deployments"
    run = client.post(f"{base}/{DEPLOYMENT}/create_flow_run", json={"name": "n", "parameters": ANA})
    assert (run.status_code, run.json["state"]["type"]) == (201, "SCHEDULED")
    by_name, by_id = (client.get(f"{base}/{end}").json for end in (f"name/{HANDLER}/{HANDLER}", DEPLOYMENT))
    assert by_name == by_id and by_id["name"] == HANDLER


def test_it_ends_by_its_own_rules_and_touches_no_other_campaign(client, deps):
    post(client, ANA, "/webhook/businessx/signup")
    post(client, ANA)
    at = deps.now().timestamp()
    told = calendly(client, calendly_event("invitee.created"), at=at, path="/webhook/businessx/calendly").json
    assert [row["sequence"] for row in told["ended"]] == ["welcome"]
    with deps.reads() as session:
        found = {e.sequence: str(e.state) for e in session.scalars(select(Enrolment))}
    assert found == {"welcome": "exited", "lead_nurture": "active"}


def test_a_sequence_that_may_begin_again_does_so_only_after_its_end(client, deps):
    assert post(client, ANA, "/webhook/businessx/signup").status_code == 202
    assert post(client, ANA, "/webhook/businessx/signup").json["status"] == "duplicate"
    play(deps, 3)
    assert post(client, ANA, "/webhook/businessx/signup").status_code == 202
    play(deps, 3)
    assert [payload["subject"] for payload in deps.mailer.sent()] == ["About welcome_1", "About welcome_2"] * 2


def test_what_it_does_not_have_is_recorded_and_starts_nothing(client):
    answer = post(client, {**ANA, "assessment_score": 38}, "/webhook/businessx/signup")
    assert (answer.status_code, answer.json["status"], answer.json["emails"]) == (202, "accepted", [])


def test_the_old_path_of_cal_com_stays_with_the_campaign_that_names_it(deps):
    rules = {rule.rule: rule.defaults for rule in application(deps).url_map.iter_rules()}
    assert rules["/webhook/calcom-booking"] == {"campaign": "christmas"}
