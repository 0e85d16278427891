"""The audit over real HTTP: whatever an owner can do wrong in Notion is named, with what to do about it."""

import json
import re

import pytest

from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.audit import CURES, audit_templates
from funnel_app.flows.templates.populate import populate
from sandbox.processes import ROOT
from tests.apps import application
from tests.flows.leads import assess, email_ids, look, opt_in

# The old system's database: pages for every email and more, all of them empty.
OLD_NAMES = [
    "5-Day E1: Your Assessment Results + December 5",
    "5-Day E2: The $500K Mistake + BusOS Framework",
    "5-Day E3: A Salon Owner's Story",
    "5-Day E4: The Value Stack",
    "5-Day E5: Final Call",
    *(f"christmas_email_{number}" for number in range(1, 6)),
    *(f"lead_nurture_email_{number}" for number in range(1, 6)),
    *(f"noshow_recovery_email_{number}" for number in range(1, 4)),
    *(f"postcall_maybe_email_{number}" for number in range(1, 4)),
    *(f"onboarding_phase1_email_{number}" for number in range(1, 4)),
    *(f"precall_prep_email_{number}" for number in range(1, 4)),
    "Newsletter",
]


def audited(desk):
    return {template["key"]: template for template in audit_templates(desk).as_json()["templates"]}


def test_28_empty_templates_are_all_named_and_no_email_is_lost(desk, owner):
    assert len(OLD_NAMES) == 28
    for name in OLD_NAMES:
        owner.write(name)
    found = audit_templates(desk)
    assert not found.ok
    keys = list(desk.registry.template_keys())
    assert [template.key for template in found.templates if template.status == "fault"] == keys
    for template in found.templates:
        assert {"no_subject", "no_body"} <= {problem.code for problem in template.problems}
    assert list(found.unused) == sorted([*OLD_NAMES[:5], "Newsletter"])

    waiting = [email_ids(opt_in(desk))[0], email_ids(assess(desk, "bea@resend.dev"))[0]]
    for email_id in waiting:
        deliver(desk, [email_id])
        assert look(desk, email_id).state == "held"
        assert "in Notion" in look(desk, email_id).reason
    assert desk.mailer.sent() == []


def test_the_whole_database_is_read_by_one_query(desk, owner):
    populate(desk)
    audit_templates(desk)
    before = owner.calls()
    found = audit_templates(desk)
    assert found.ok, found
    assert owner.calls() - before == 1
    assert {template.status for template in found.templates} == {"ok"}


def test_an_empty_database_has_every_key_missing(desk):
    found = audited(desk)
    assert {problem["code"] for template in found.values() for problem in template["problems"]} == {"missing"}
    assert found["christmas_email_1"]["problems"][0]["suggestion"] == (
        "Make a page of that name, or run: flask templates populate"
    )


def test_populate_is_advised_only_where_there_is_a_starter(desk, monkeypatch):
    monkeypatch.setattr("funnel_app.flows.templates.audit.find_starter", lambda key: None)
    suggestion = audited(desk)["christmas_email_1"]["problems"][0]["suggestion"]
    assert suggestion == "Make a page of that name"


MISNAMED = {
    "5-Day Email 1: Your Assessment Results": "christmas_email_1",
    "5 Day E2 - The $500K Mistake": "christmas_email_2",
    "Christmas Email 3": "christmas_email_3",
    "christmas-email-04": "christmas_email_4",
    "chrismas_email_5": "christmas_email_5",
    "Lead Nurture E1: Welcome": "lead_nurture_email_1",
    "Nurture Email 2": "lead_nurture_email_2",
    "No-Show Recovery E1": "noshow_recovery_email_1",
    "noshow 2": "noshow_recovery_email_2",
    "Post-Call Maybe E3: Still thinking?": "postcall_maybe_email_3",
    "Onboarding Phase 1 – Email 2: Welcome": "onboarding_phase1_email_2",
    "Pre-Call Prep E1": "precall_prep_email_1",
}


def test_a_misnamed_page_is_suggested_for_the_key_it_was_meant_for(desk, owner):
    for name in MISNAMED:
        owner.write(name, "Hello", "<p>{{ first_name }}</p>")
    templates = audited(desk)
    suggestions = {
        (name, key): problem["suggestion"]
        for key, template in templates.items()
        for problem in template["problems"]
        for name in MISNAMED
        if name in problem["suggestion"]
    }
    assert suggestions == {(name, key): f"Rename “{name}” to {key}" for name, key in MISNAMED.items()}


def test_a_text_beside_an_empty_page_of_the_right_name_is_found(desk, owner):
    owner.write("christmas_email_1")
    owner.write("5-Day E1: Your Assessment Results…", "Your results", "<p>Hi {{ first_name }}</p>")
    (body,) = (p for p in audited(desk)["christmas_email_1"]["problems"] if p["code"] == "no_body")
    assert body["suggestion"] == (
        "Move the text of “5-Day E1: Your Assessment Results…” here, "
        "or delete this page and rename “5-Day E1: Your Assessment Results…” to christmas_email_1"
    )


def test_an_alias_serves_and_is_said(desk, owner):
    owner.write("5-Day E1: Your Assessment Results…", "Your results", "<p>Hi {{ first_name }}</p>")
    template = audited(desk)["christmas_email_1"]
    assert template["status"] == "warning"
    assert template["problems"][-1] == {
        "code": "other_name",
        "detail": "“5-Day E1: Your Assessment Results…” serves, found by its alias",
        "suggestion": "Rename it to christmas_email_1, so that nobody takes it for another",
    }


@pytest.mark.parametrize("names", [("christmas_email_1",) * 2, ("5-Day E1: a", "5-day e1: b")])
def test_two_pages_for_one_key_are_a_fault(desk, owner, names):
    for name in names:
        owner.write(name, "Hello", "<p>Hi</p>")
    (problem,) = audited(desk)["christmas_email_1"]["problems"]
    assert (problem["code"], problem["suggestion"]) == ("several_pages", "Rename or delete all of them but one")
    assert all(f"“{name}”" in problem["detail"] for name in names)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"Subject Line": {"name": "Template Type"}},
            "no property “Subject Line”; its properties are “Email Body HTML”",
        ),
        ({"Email Body HTML": None}, "has no property “Email Body HTML”"),
        ({"Email Body HTML": {"number": {}}}, "“Email Body HTML” of the templates database is of the type number"),
        ({"Template Name": {"name": "Name"}}, "has no property “Template Name”"),
        ({"Status": {"checkbox": {}}}, "“Status” of the templates database is of the type checkbox, not select"),
    ],
)
def test_a_property_that_is_not_there_or_of_another_type_is_named(desk, owner, columns, words):
    owner.write("christmas_email_1", "Hello", "<p>Hi</p>")
    owner.change_columns(**columns)
    problem = audited(desk)["christmas_email_1"]["problems"][0]
    assert problem["code"] == "bad_property" and words in problem["detail"]
    assert "NOTION_PROPERTY_NAMES" in problem["suggestion"]


def test_what_is_in_the_trash_or_no_campaigns_is_no_template(desk, owner):
    owner.client.pages.update(owner.write("christmas_email_1", "Hello", "<p>Hi</p>"), in_trash=True)
    owner.write("Newsletter 1")
    owner.write("")
    found = audit_templates(desk)
    assert found.unused == ("(a page without a name)", "Newsletter 1")
    assert next(t for t in found.templates if t.key == "christmas_email_1").problems[0].code == "missing"


def test_the_command_shows_a_table_and_json_and_goes_by_its_exit_code(desk, owner, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    run = application(desk).test_cli_runner().invoke
    owner.write("christmas_email_1", "Hello", "<p>Hi {{ fist_name }}</p>")
    owner.write("Newsletter", "Hello", "<p>Hi</p>")
    shown = run(args=["templates", "audit"])
    assert shown.exit_code == 1
    for words in (
        "Did you mean {{ first_name }}?",
        "No campaign needs: “Newsletter”",
        "0 of 22 templates can be sent.",
    ):
        assert words in shown.output
    told = run(args=["templates", "audit", "--json"])
    answer = json.loads(told.stdout)
    assert (told.exit_code, answer["ok"], answer["unused"]) == (1, False, ["Newsletter"])
    assert set(answer["templates"][0]) == {"key", "status", "problems"}
    assert set(answer["templates"][0]["problems"][0]) == {"code", "detail", "suggestion"}
    owner.client.pages.update(
        owner.client.data_sources.query("5a2b0d00-0000-4000-8000-000000000002")["results"][0]["id"], in_trash=True
    )
    populate(desk)
    assert run(args=["templates", "audit"]).exit_code == 0


def test_without_notion_the_command_says_so(desk, owner):
    owner.switch(fail_always={"status": 503, "code": "service_unavailable", "message": "away"})
    told = application(desk).test_cli_runner().invoke(args=["templates", "audit"])
    assert told.exit_code == 1 and "Notion cannot be asked: notion: 503 service_unavailable: away" in told.output


def test_whatever_the_gate_may_find_has_something_to_do_about_it():
    sources = "".join(path.read_text() for path in (ROOT / "funnel_app").glob("letters/**/*.py"))
    codes = set(re.findall(r'(?:fault|warning)\(\s*"(\w+)"', sources))
    assert len(codes) > 10 and codes <= set(CURES)


FOOT = '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a>, {{ company_address }}</p>'


def test_a_text_that_speaks_of_the_deadline_unguarded_is_named_while_the_season_is_open(desk, owner):
    owner.write("lead_nurture_email_5", "One note", "<p>Only {{ days_to_deadline }} days, {{ first_name }}.</p>" + FOOT)
    owner.write("christmas_email_5", "Final call", "<p>Only {{ days_to_deadline }} days, {{ first_name }}.</p>" + FOOT)
    found = audited(desk)
    (problem,) = found["lead_nurture_email_5"]["problems"]
    assert (found["lead_nurture_email_5"]["status"], problem["code"]) == ("warning", "out_of_season")
    assert "uses days_to_deadline, which nothing provides out of season: from 6 December on" in problem["detail"]
    assert found["christmas_email_5"]["status"] == "ok", "it goes in season only"
