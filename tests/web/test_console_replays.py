"""The console's page of a call: every fault has a field that mends it, and what was left out is told."""

import re

import pytest

from tests.web.calendars import calendly, calendly_event
from tests.web.callers import post
from tests.web.console import Operator

PAGE = re.compile(r'href="(/console/hooks/[0-9a-f-]{36})"')


@pytest.fixture
def olga(client) -> Operator:
    operator = Operator(client)
    operator.log_in()
    return operator


def test_every_fault_has_a_field_of_its_own_that_mends_it(olga, deps):
    calendly(olga.client, calendly_event("invitee.created", email="nobody"), at=deps.now().timestamp())
    post(olga.client, {"email": "bea@resend.dev"}, "/webhook/christmas/sign-up")
    mends = {"set-payload.email": "ana@resend.dev", "set-address": "/webhook/christmas/signup"}
    for field, value in mends.items():
        pages = PAGE.findall(olga.get("/console/hooks?outcome=refused").text)
        page = next(page for page in pages if f'name="{field}"' in olga.get(page).text)
        assert olga.send(f"{page}/replay", form=page, **{field: value}).status_code == 303


def test_what_was_left_out_is_on_the_calls_page(olga):
    post(olga.client, {"email": "ana@resend.dev", "timezone": "Mars/Olympus"})
    page = olga.get(PAGE.search(olga.get("/console/hooks").text)[1]).text
    assert "What was left out or corrected" in page and "Not a time zone" in page
