"""Kept: nothing that was typed is lost where a login ran out meanwhile, and no other site can use that."""

from html import unescape

import pytest

from funnel_app.web.console.shared.kept_forms import PREFIX
from tests.web.console import PASSWORD, TOKEN

OURS = {"Sec-Fetch-Site": "same-origin"}
TYPED = {
    "email": 'late"><b>@resend.dev',
    "variables": "first_name=Late\nname=Late Riser",
    "sequence": "christmas/lead_nurture",
}


def send(olga, path="/console/enrol", headers=OURS, **fields):
    return olga.client.post(path, data={**TYPED, **fields}, headers=headers)


def hidden(text, prefix=""):
    """Return what a page carries on of what was typed, as a browser would send it."""
    return {name: value for name in TYPED if (value := field(text, f"{prefix}{name}")) is not None}


def field(text, name):
    found = text.partition(f'type="hidden" name="{name}" value="')[2]
    return unescape(found.partition('">')[0]) if found else None


def test_what_was_typed_comes_through_the_login_and_goes_out_once_it_is_said_again(olga, deps):
    deps.now.forward(hours=13)
    asked = send(olga, csrf_token="of the login before")
    assert asked.status_code == 401 and "What you wrote is kept" in asked.text
    carried = {f"{PREFIX}{name}": value for name, value in hidden(asked.text, PREFIX).items()}
    wrong = olga.send("/console/login", name="Olga", password="wrong", next="/console/enrol", **carried)
    assert wrong.status_code == 403 and hidden(wrong.text, PREFIX) == TYPED
    again = olga.send("/console/login", name="Olga", password=PASSWORD, next="/console/enrol", **carried)
    assert "What you wrote is still here" in again.text and hidden(again.text) == TYPED
    assert 'action="/console/enrol"' in again.text and "<b>" not in again.text
    assert "<dd>Nurture for new opt-ins</dd>" in again.text and "<dd>christmas" not in again.text
    said = send(olga, csrf_token=TOKEN.search(again.text)[1])
    assert said.status_code != 403 and "nothing was changed" not in said.text.lower()


def test_after_a_new_login_in_another_tab_it_is_asked_once_more(olga):
    asked = send(olga, csrf_token="of the other tab")
    assert asked.status_code == 403 and hidden(asked.text) == TYPED


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
@pytest.mark.parametrize("hours", [0, 13])
def test_what_another_site_sends_is_never_laid_before_an_operator(olga, deps, headers, hours):
    deps.now.forward(hours=hours)
    asked = send(olga, headers=headers, csrf_token="guessed")
    assert asked.status_code in {401, 403} and "Riser" not in asked.text


def test_a_password_is_never_carried_on(olga):
    asked = send(olga, "/console/login", csrf_token="old", name="Olga", password="a secret")
    assert asked.status_code == 403 and "a secret" not in asked.text


def test_a_form_in_which_nothing_was_typed_is_told_as_before(olga):
    answer = olga.client.post("/console/logout", data={"csrf_token": "old"}, headers=OURS)
    assert answer.status_code == 403 and "This form is too old" in answer.text
