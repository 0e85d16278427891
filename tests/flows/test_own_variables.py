"""A campaign's own variables: a file says them, a hook tells them, and letters have them without a line of code."""

import json
from dataclasses import replace

import pytest

from funnel_app.campaigns.registry import Registry
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.audit import audit_templates
from tests.apps import application
from tests.flows.leads import email_ids_of, write_templates
from tests.flows.test_two_campaigns import SPRING
from tests.web.callers import post

OWN = """
[variables]
coach_name = "Maria"
price = 2500
webinar = "https://webinar.example.com/spring"

[hooks.signup.variables]
city = { example = "Toronto", default = "your city" }
chairs = { type = "number", example = "4", default = "1" }
shop = { type = "link", example = "https://shop.example.com" }
"""
FILE = SPRING + OWN
TEXT = "<p>{{ coach_name }}, {{ price }}, {{ city }}, {{ chairs }}</p><p><a href='{{ webinar }}'>Come</a></p>"
SIGNUP = "/webhook/spring/signup"


@pytest.fixture
def spring(deps):
    deps = replace(deps, registry=Registry.load({"spring.toml": FILE}))
    write_templates(deps, TEXT)
    return deps


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"city": " Lyon ", "chairs": 3}, "Maria, 2500, Lyon, 3"),
        ({"chairs": "2.5"}, "Maria, 2500, your city, 2.5"),
        ({"city": "", "chairs": "many"}, "Maria, 2500, your city, 1"),
        ({"city": ["Lyon"], "chairs": None}, "Maria, 2500, your city, 1"),
        ({"city": "{{ 7*7 }}", "chairs": "NaN"}, "Maria, 2500, your city, 1"),
        ({"city": "<b>x</b>"}, "Maria, 2500, &lt;b&gt;x&lt;/b&gt;, 1"),
        ({"coach_name": "Mallory", "price": 1}, "Maria, 2500, your city, 1"),
    ],
)
def test_letters_have_what_the_file_says_and_what_the_hook_told(spring, told, read):
    answer = post(application(spring).test_client(), {"email": "ana@resend.dev", **told}, SIGNUP)
    assert answer.status_code == 202, answer.text
    deliver(spring, email_ids_of(spring))
    html = spring.mailer.calls[0][1][0]["html"]
    assert read in html and "https://webinar.example.com/spring" in html


def test_the_check_of_the_texts_knows_them_and_no_others(spring):
    assert audit_templates(spring).ok
    write_templates(spring, TEXT.replace("coach_name", "coach_nam"))
    found = audit_templates(spring).templates[0].problems[0]
    assert "coach_nam" in found.detail and "Did you mean {{ coach_name }}?" in found.detail


def test_the_command_lists_them_with_their_campaign(spring):
    rows = json.loads(application(spring).test_cli_runner().invoke(args=["variables", "--json"]).stdout)
    told = {row["name"]: (row["type"], row["default"], row["description"]) for row in rows}
    assert told["city"] == ("text", "your city", "As signup says (of spring only)")
    assert told["webinar"][0] == "link" and told["price"][0] == "number"


def test_one_without_a_default_holds_the_letter_of_whom_nothing_was_told(spring):
    write_templates(spring, "<p><a href='{{ shop }}'>Shop</a></p>")
    post(application(spring).test_client(), {"email": "ana@resend.dev", "shop": "javascript:alert(1)"}, SIGNUP)
    deliver(spring, email_ids_of(spring))
    assert spring.mailer.calls == []
