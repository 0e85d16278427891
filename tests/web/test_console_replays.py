"""The console's page of a call: every fault has a field that fixes it, and what was left out is told."""

import re

import pytest

from funnel_app.flows.intake.keep_refused import NOT_KEPT, refuse
from tests.web.calendars import calcom, calendly, calendly_event
from tests.web.callers import post
from tests.web.console import LOGGED_ID

FIELD = re.compile(r'name="set-([^"]+)"')
PAGE = re.compile(r'href="(/console/hooks/[0-9a-f-]{36})"')


def test_every_fault_has_a_field_of_its_own_that_fixes_it(olga, deps):
    calendly(olga.client, calendly_event("invitee.created", email="nobody"), at=deps.now().timestamp())
    post(olga.client, {"email": "bea@resend.dev"}, "/webhook/christmas/sign-up")
    fixes = {"set-payload.email": "ana@resend.dev", "set-address": "/webhook/christmas/signup"}
    for field, value in fixes.items():
        pages = PAGE.findall(olga.get("/console/hooks?outcome=refused").text)
        page = next(page for page in pages if f'name="{field}"' in olga.get(page).text)
        assert olga.send(f"{page}/replay", form=page, **{field: value}).status_code == 303


# One fault hides another; a list stands where an object belongs; an older envelope has it a step further in.
CALLED = {"event": "invitee.canceled", "payload": {"scheduled_event": ["x"], "event": []}}
OLDER = {"payload": {"booking": {"uid": {}, "startTime": "soon", "attendees": [{"email": "nobody"}]}}}
RIGHT = {
    "payload.email": "ana@resend.dev",
    "payload.event": "https://api.calendly.com/scheduled_events/12",
    "payload.scheduled_event.start_time": "2026-12-01T15:00:00Z",
    "payload.booking.uid": "12",
    "payload.booking.startTime": "2026-12-01T15:00:00Z",
    "payload.booking.attendees.0.email": "ana@resend.dev",
}


@pytest.mark.parametrize(
    ("send", "body", "times"),
    [
        (calendly, CALLED, 2),
        (calendly, {**CALLED, "event": "invitee.created"}, 3),
        (calcom, OLDER, 3),
    ],
)
def test_faults_that_show_one_after_the_other_are_fixed_by_one_form(olga, deps, send, body, times):
    more = {"at": deps.now().timestamp()} if send is calendly else {}
    assert send(olga.client, body, **more).json["status"] == "ignored"
    (page,) = set(PAGE.findall(olga.get("/console/hooks?outcome=refused").text))
    shown, typed = olga.get(page).text, {}
    for _ in range(times):
        asked = FIELD.findall(shown)
        assert all(f'value="{value}"' in shown for value in typed.values()), "what was typed stays"
        typed = {f"set-{field}": RIGHT[field] for field in asked}
        answer = olga.send(f"{page}/replay", form=page, **typed)
        shown = answer.text
    assert answer.status_code == 303


def test_a_call_to_an_unknown_hook_is_sent_on_to_one_of_those_that_there_are(olga, deps):
    post(olga.client, {"email": "bea@resend.dev"}, "/webhook/christmas/sign-up")
    page = PAGE.search(olga.get("/console/hooks?outcome=refused").text)[1]
    offered = dict(re.findall('<option value="([^"]+)">([^<]+)<', olga.get(page).text))
    assert set(offered) == {hook.path for each in deps.registry.campaigns.values() for hook in each.hooks.values()}
    assert offered["/webhook/christmas/signup"] == "Sign-up for “Christmas Surge”"
    wrong = {"set-address": "/webhook/christmas/booking"}
    again = olga.send(f"{page}/replay", form=page, **wrong)
    assert again.status_code == 422 and 'value="/webhook/christmas/booking" selected' in again.text
    olga.send(f"{page}/replay", form=page, **{"set-address": "/webhook/christmas/signup"})
    assert "Replayed" in olga.get(page).text


def test_the_log_names_what_was_replayed_by_its_time_and_hook_on_the_page_and_by_the_command(olga, deps):
    about = {"campaign": "christmas", "hook": "signup", "errors": {"email": ["Not an address."]}}
    first, second = (refuse(deps, payload={"email": email}, **about) for email in ("nobody", "no one"))
    page = f"/console/hooks/{first}"
    assert olga.send(f"{page}/replay", form=page, **{"set-email": "ana@resend.dev"}).status_code == 303
    run = olga.client.application.test_cli_runner().invoke
    assert run(args=["hooks", "replay", str(second), "--set", "email=bea@resend.dev"]).exit_code == 0
    log = olga.get("/console/log").text
    assert len(re.findall("the call of 24 Nov [0-9:]+ to Sign-up for “Christmas Surge”: accepted<", log)) == 2
    assert LOGGED_ID.search(log) is None


def test_what_was_too_much_to_keep_cannot_be_replayed(olga, deps):
    hook_id = refuse(deps, campaign="christmas", hook="signup", payload={}, errors=NOT_KEPT)
    shown = olga.get(f"/console/hooks/{hook_id}").text
    assert "Nothing to replay" in shown and "set-budget" not in shown
    runner = olga.client.application.test_cli_runner()
    assert "nothing to send again" in runner.invoke(args=["hooks", "replay", str(hook_id)]).output
    assert "Name the calls" in runner.invoke(args=["hooks", "replay", "--all"]).output


def test_what_was_left_out_is_on_the_calls_page(olga):
    post(olga.client, {"email": "ana@resend.dev", "timezone": "Mars/Olympus"})
    page = olga.get(PAGE.search(olga.get("/console/hooks").text)[1]).text
    assert "What was left out or corrected" in page and "Not a time zone" in page
