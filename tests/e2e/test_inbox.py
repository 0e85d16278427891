"""The inbox shows each email as its reader would see it, and its links work."""

import pytest
from playwright.sync_api import Page, expect

from funnel_app.flows.sending.deliver import Outcome, deliver
from tests.flows.leads import assess, email_ids, opt_in, states


@pytest.fixture
def inbox(funnel, sandbox, page: Page) -> Page:
    """The inbox after an opt-in and an assessment each got their first email."""
    deps, _ = funnel
    for receipt in (opt_in(deps, "delivered+ana@resend.dev"), assess(deps, "delivered+bea@resend.dev")):
        assert deliver(deps, email_ids(receipt)[:1]) is Outcome.SUBMITTED
    page.goto(sandbox.url)
    return page


def test_an_empty_inbox_says_so(sandbox, page: Page):
    page.goto(sandbox.url)
    expect(page.get_by_text("No email yet.")).to_be_visible()


def test_the_inbox_lists_what_arrived_newest_first(inbox: Page):
    expect(inbox.get_by_role("heading", name="2 emails")).to_be_visible()
    rows = inbox.locator("ul.rows li")
    expect(rows.nth(0)).to_contain_text("delivered+bea@resend.dev")
    expect(rows.nth(1)).to_contain_text("delivered+ana@resend.dev")
    expect(inbox.locator(".pill.delivered").first).to_be_visible(timeout=10_000)


def test_an_email_is_shown_as_it_was_sent_with_text_headers_and_tags(inbox: Page):
    inbox.get_by_role("link").filter(has_text="delivered+ana@resend.dev").click()
    letter = inbox.frame_locator("iframe")
    expect(letter.locator("body")).to_contain_text("Ana")
    expect(letter.get_by_role("link", name="Unsubscribe")).to_be_visible()
    assert "{{" not in inbox.content()
    for words in ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click", "lead_nurture", "BusinessX"):
        expect(inbox.get_by_text(words).first).to_be_visible()


def test_the_inbox_fits_a_phone(inbox: Page):
    inbox.set_viewport_size({"width": 390, "height": 844})
    for address in (inbox.url, inbox.get_by_role("link").filter(has_text="bea").get_attribute("href")):
        inbox.goto(address if address.startswith("http") else inbox.url.rstrip("/") + address)
        overflow = inbox.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow == 0


def test_a_reader_leaves_by_the_link_in_the_email(funnel, sandbox, inbox: Page):
    deps, url = funnel
    third = opt_in(deps, "delivered+cleo@resend.dev")
    deliver(deps, email_ids(third)[:1])
    email = list(sandbox.sandbox.emails.values())[-1]
    link = email.payload["headers"]["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{url}/u/")
    inbox.goto(link)
    assert set(states(deps, third)[1:]) == {"planned"}, "opening the page changes nothing"
    inbox.get_by_role("button", name="Unsubscribe").click()
    expect(inbox.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert set(states(deps, third)[1:]) == {"cancelled"}
