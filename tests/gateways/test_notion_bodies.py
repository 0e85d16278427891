"""A body from blocks is kept only while it is certain that nobody edited its page."""

from datetime import UTC, datetime

import pytest

from funnel_app.gateways.notion.blocks import OnPage
from funnel_app.gateways.notion.bodies import Bodies
from funnel_app.gateways.notion.pages import Page
from tests.fakes import FrozenClock

EDITED = "2026-11-24T12:00:00.000Z"


def page(last_edited: str = EDITED) -> Page:
    return Page(id="p-1", name="n", subject="s", html="", status="", url="", last_edited=last_edited)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 24, 12, 2, tzinfo=UTC))


def test_a_page_that_nobody_edited_keeps_its_body_for_ten_minutes(clock):
    bodies = Bodies(clock)
    assert bodies.find(page()) is None
    bodies.keep(page(), OnPage("<p>"))
    clock.forward(seconds=599)
    assert bodies.find(page()) == OnPage("<p>")
    clock.forward(seconds=1)
    assert bodies.find(page()) is None


def test_a_page_edited_since_or_just_before_is_read_again(clock):
    bodies = Bodies(clock)
    bodies.keep(page(), OnPage("<p>"))
    assert bodies.find(page("2026-11-24T12:02:00.000Z")) is None
    bodies.keep(page("2026-11-24T12:01:00.000Z"), OnPage("<p>half ty"))
    assert bodies.find(page("2026-11-24T12:01:00.000Z")) is None


def test_a_page_that_does_not_say_when_it_was_edited_is_always_read(clock):
    bodies = Bodies(clock)
    bodies.keep(page(""), OnPage("<p>"))
    assert bodies.find(page("")) is None
