"""The inbox shows each email as its reader would see it, and its links work."""

from playwright.sync_api import Page, expect

from funnel_app.flows.sending.deliver import Outcome, deliver
from tests.e2e.inbox import hold_still
from tests.e2e.site import SIZES
from tests.flows.leads import assess, email_ids, opt_in, states


def test_the_inbox_lists_what_arrived_newest_first_and_shows_it_as_it_was_sent(funnel, sandbox, page: Page):
    deps, _ = funnel
    page.goto(sandbox.url)
    expect(page.get_by_text("No email yet.")).to_be_visible()
    for receipt in (opt_in(deps, "delivered+ana@resend.dev"), assess(deps, "delivered+bea@resend.dev")):
        assert deliver(deps, email_ids(receipt)[:1]) is Outcome.SUBMITTED
    page.goto(sandbox.url)
    expect(page.get_by_role("heading", name="2 emails")).to_be_visible()
    rows = page.locator("ul.rows li")
    expect(rows.nth(0)).to_contain_text("delivered+bea@resend.dev")
    expect(rows.nth(1)).to_contain_text("delivered+ana@resend.dev")
    expect(page.locator(".pill.delivered").first).to_be_visible()
    hold_still(page)
    fits_a_phone(page)
    page.get_by_role("link").filter(has_text="delivered+ana@resend.dev").click()
    letter = page.frame_locator("iframe")
    expect(letter.locator("body")).to_contain_text("Ana")
    expect(letter.get_by_role("link", name="Unsubscribe")).to_be_visible()
    for words in ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click", "lead_nurture", "BusinessX"):
        expect(page.get_by_text(words).first).to_be_visible()
    assert "{{" not in page.content()
    fits_a_phone(page)


def fits_a_phone(page: Page) -> None:
    """Make sure that a page is no wider than a phone, and go back to a desktop."""
    page.set_viewport_size(SIZES["phone"])
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.set_viewport_size(SIZES["desktop"])


def test_a_reader_leaves_by_the_link_in_the_email(funnel, sandbox, page: Page):
    deps, url = funnel
    third = opt_in(deps, "delivered+cleo@resend.dev")
    deliver(deps, email_ids(third)[:1])
    email = list(sandbox.sandbox.emails.values())[-1]
    link = email.payload["headers"]["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{url}/u/")
    page.goto(link)
    assert set(states(deps, third)[1:]) == {"planned"}, "opening the page changes nothing"
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert set(states(deps, third)[1:]) == {"cancelled"}
