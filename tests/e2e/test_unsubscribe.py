"""The way out, in a real browser: readable on a phone and a desktop, and it does what it says."""

import pytest
from playwright.sync_api import Page, expect

from funnel_app.ledger.models import Contact
from tests.flows.leads import opt_in, states


@pytest.fixture
def link(funnel) -> str:
    deps, url = funnel
    opt_in(deps, "delivered+ana@resend.dev")
    with deps.reads() as session:
        return f"{url}/u/{session.query(Contact.unsubscribe_token).scalar()}"


LENGTHEN = "document.querySelectorAll('.brand, h1, p, b, label span, button, footer').forEach(e => e.append(' ', WORD))"
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_it_wears_the_brands_colours_by_day_and_night_and_fits_whatever_long_word_stands_on_it(link, page: Page):
    page.goto(link)
    button = page.get_by_role("button")
    expect(button).to_have_count(1)
    expect(button).to_have_css("background-color", "rgb(210, 161, 100)")
    expect(page.get_by_text("Only emails about my calls")).to_be_visible()
    expect(page.locator(".brand")).to_have_css("background-color", "rgb(31, 26, 20)")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("main")).to_have_css("background-color", "rgb(33, 29, 24)")
    expect(page.locator("h1")).to_have_css("color", "rgb(239, 232, 221)")
    for lengthened in (False, True):
        if lengthened:
            page.evaluate(LENGTHEN.replace("WORD", f"'{'Wolfeschlegelsteinhausenbergerdorff' * 3}'"))
        for width in (360, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OVER) == 0, (width, lengthened)


def test_a_reader_first_keeps_the_reminders_and_then_wants_nothing(funnel, link, page: Page):
    deps, _ = funnel
    onboarding = opt_in(deps, "delivered+bea@resend.dev")
    page.goto(link)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_text("Emails about your own calls and orders still come.")).to_be_visible()
    page.wait_for_load_state()
    expect(page.get_by_role("radio")).to_have_count(0)
    page.get_by_role("button", name="Stop these too").click()
    expect(page.get_by_text("You get no more emails from us.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(1)
    page.get_by_role("button", name="I pressed by mistake").click()
    expect(page.get_by_role("heading", name="You are back")).to_be_visible()
    assert set(states(deps, onboarding)) == {"planned"}, "nobody else is touched"


def test_a_link_that_was_cut_off_says_what_to_do(funnel, page: Page):
    page.goto(f"{funnel[1]}/u/cut-off")
    expect(page.get_by_role("heading", name="This link belongs to nobody")).to_be_visible()
    expect(page.get_by_text("Answer any of our emails")).to_be_visible()
