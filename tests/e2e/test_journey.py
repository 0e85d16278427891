"""The whole way in one browser: a form on the website, the hook, the emails, the inbox, and the console's timeline."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.stack import Stack, running_stack, start_funnel
from tests.e2e.accessibility import bring_axe, violations
from tests.e2e.inbox import hold_still
from tests.e2e.site import SIZES
from tests.process.starting import ONE_OF_EACH
from tests.process.watching import wait_until

pytestmark = pytest.mark.process(lasts_s=25)
SECONDS_FOR_A_DAY = 2
# Waits end in vain after this; what is promised is asserted.
WITHIN_MS = 120_000
# How the subjects of the assessment's first and last email begin.
FIRST, LAST = "Your assessment results", "Final call"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A Funnel of real processes: web, worker, scheduler, and the sandbox with the website."""
    with running_stack(SECONDS_FOR_A_DAY, **ONE_OF_EACH) as running:
        start_funnel(running)
        yield running


@pytest.fixture(params=list(SIZES))
def visitor(request, browser: Browser, stack: Stack) -> Iterator[tuple[str, Page]]:
    """Somebody at a desktop or with a phone who comes to the website for the first time."""
    context = browser.new_context(viewport=SIZES[request.param])
    bring_axe(context)
    page = context.new_page()
    page.goto(f"{stack.sandbox_url}/website")
    yield request.param, page
    context.close()


def seen(page: Page, name: str, width: str, *, asks_axe: bool = True) -> None:
    """Make sure that a page fits the screen and can be used by everybody.

    axe is not asked about the console: test_console.py does that.
    """
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0, f"{name} is wider than the screen of a {width}"
    if asks_axe:
        assert violations(page) == []


def sign_up(page: Page, address: str, width: str) -> None:
    """Go wrong once, as people do, and then ask for the playbook."""
    seen(page, "1-form", width)
    page.get_by_label("First name").fill("Win at www.evil.example")
    page.get_by_label("Your salon").fill("Salon Noor")
    page.get_by_role("textbox", name="Email").fill(address)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send me the playbook").click()
    expect(page.get_by_text("Holds a link")).to_be_visible()
    seen(page, "2-refused", width)
    page.get_by_label("First name").fill("Noor")
    page.get_by_role("button", name="Send me the playbook").click()
    expect(page.get_by_role("heading", name="Thank you, Noor")).to_be_visible()
    expect(page.get_by_text("202 accepted")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(5)
    seen(page, "3-thanks", width)


def take_the_assessment(page: Page, width: str) -> None:
    """Answer the questions: it ends the first sequence and starts the other."""
    page.get_by_role("link", name="Take the assessment").click()
    for system, words in (("GPS", "It burns"), ("Money", "It burns"), ("Client Experience", "It shines")):
        page.get_by_label(system).select_option(words)
    page.get_by_label("Turnover").fill("48500")
    seen(page, "4-assessment", width)
    page.get_by_role("button", name="Send me my results").click()
    expect(page.get_by_text("It ended lead nurture: took the assessment")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(5)
    seen(page, "5-results", width)


def look_into_the_inbox(page: Page, stack: Stack, address: str, width: str) -> None:
    """Wait until all five emails of the assessment have arrived, and read one as its reader does."""
    inbox = page.context.new_page()
    inbox.goto(f"{stack.sandbox_url}/")
    arrived = inbox.locator("ul.rows li", has_text=address)
    delivered = arrived.filter(has=inbox.locator(".pill.delivered"))
    # The page looks again by itself; each email comes a “day” after the one before.
    for subject in (FIRST, LAST):
        expect(delivered.filter(has_text=subject)).to_have_count(1, timeout=WITHIN_MS)
    hold_still(inbox)
    seen(inbox, "6-inbox", width)
    inbox.get_by_role("link").filter(has_text=address).filter(has_text=FIRST).click()
    letter = inbox.frame_locator("iframe")
    expect(letter.locator("body")).to_contain_text("Hi Noor,")
    expect(letter.locator("body")).to_contain_text("GPS")
    seen(inbox, "7-email", width)
    inbox.close()


def log_in(page: Page, stack: Stack) -> None:
    """Follow the website's link into the console, which asks who it is first."""
    page.get_by_role("link", name="in Funnel’s console").click()
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("Password").fill(stack.processes.env["CONSOLE_PASSWORD"])
    page.get_by_role("button", name="Log in").click()


def emails_on(page: Page, state: str) -> set[str]:
    """Return the ids of the emails on a lead's page that are in a state."""
    rows = page.locator(".emails > li", has=page.locator(f".pill:text-is('{state}')"))
    # By one call: a lead's page makes itself again every half minute.
    hrefs = rows.locator("a[href*='/console/emails/']").evaluate_all("all => all.map(each => each.href)")
    return {href.rpartition("/")[2] for href in hrefs}


def open_after_reload(page: Page) -> set[str]:
    """Return the ids of the emails on a lead's page, as it is now, that may still change."""
    page.reload()
    return emails_on(page, "planned") | emails_on(page, "sending") | emails_on(page, "on its way")


def test_a_visitor_s_form_becomes_emails_in_the_inbox_and_the_same_story_in_the_console(visitor, stack: Stack):
    width, page = visitor
    address = f"delivered+noor-{width}@resend.dev"
    sign_up(page, address, width)
    take_the_assessment(page, width)
    look_into_the_inbox(page, stack, address, width)
    log_in(page, stack)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Noor")
    expect(page.get_by_text(address).first).to_be_visible()
    # The inbox knows of the last delivery a moment before Funnel is told of it.
    wait_until("the console knows of the last email too", lambda: not open_after_reload(page))
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
    expect(page.get_by_text("5 of 5 emails delivered.")).to_be_visible()
    for words in ("Salon Noor", "CRITICAL", "Yes, send me the playbook and tips by email"):
        expect(page.get_by_text(words).first).to_be_visible()
    timeline = page.locator("section", has=page.get_by_role("heading", name="What happened"))
    told = "Sign-up by the website", "Assessment by the website", "Nurture for new opt-ins", "took the assessment"
    for words in told:
        expect(timeline).to_contain_text(words)
    received = [email["tags"]["email"] for email in stack.received() if email["to"] == [address]]
    assert emails_on(page, "delivered") == set(received) and len(received) == len(set(received))
    assert len(emails_on(page, "delivered") | emails_on(page, "cancelled")) == 10, "and every other has its reason"
    seen(page, "8-console", width, asks_axe=False)
