"""What the console says when something is not as it should be, in a real Chromium, on a phone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessibility import bring_axe, violations
from tests.e2e.site import ON_A_PHONE, Site
from tests.flows.leads import opt_in

pytestmark = ON_A_PHONE
EMPTY = {
    "": "Nothing. All goes by itself.",
    "leads": "No lead yet",
    "hooks": "No call came yet",
    "figures": "No email was due in these days.",
    "sequences": "0 active",
    "templates": "Notion is asked for it within a minute.",
    "templates/christmas_email_1": "No letter can be made of it",
}


@pytest.fixture
def start(site: Site) -> Site:
    """A console in which nothing has happened yet; Olga is logged in."""
    site.deps.now.forward(hours=1)
    if site.state is None:
        site.log_in()
    return site


@pytest.fixture(scope="module")
def phone(site: Site) -> Iterator[Page]:
    """A phone that all tests have by turns: each further one is a process of Chromium's."""
    page = site.open(login=False)
    yield page
    page.context.close()


@pytest.fixture
def page(start: Site, phone: Page) -> Iterator[Page]:
    """The phone in Olga's hand, who is logged in, with nothing on it yet."""
    start.let_in(phone.context)
    yield phone
    phone.unroute_all()
    phone.goto("about:blank")


def fits(page: Page) -> None:
    """Make sure that a page is no wider than its screen, once it has come with its styles."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_a_console_in_which_nothing_has_happened_says_so(start: Site):
    page = start.open()
    bring_axe(page.context)
    for path, words in EMPTY.items():
        page.goto(f"{start.url}/console/{path}")
        expect(page.locator("main")).to_contain_text(words)
        fits(page)
        assert violations(page) == [], path
    page.context.close()


def test_a_lead_that_is_not_there_is_said(start: Site, page: Page):
    answer = page.goto(f"{start.url}/console/leads/0192a000-0000-7000-8000-000000000001")
    assert answer is not None and answer.status == 404
    expect(page.get_by_text("There is no such lead, or it was erased.")).to_be_visible()
    page.get_by_role("link", name="To Today").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()


def test_a_form_that_did_not_come_from_here_changes_nothing(start: Site, page: Page):
    receipt = opt_in(start.deps, "delivered+csrf@resend.dev")
    page.goto(f"{start.url}/console/do/stop/{receipt.enrolment_id}")
    page.locator("main [name=csrf_token]").evaluate("field => { field.value = 'forged' }")
    page.locator("main").get_by_role("button").click()
    expect(page.get_by_text("This form is too old, or did not come from the console.")).to_be_visible()
    page.goto(f"{start.url}/console/leads/{receipt.contact_id}")
    expect(page.locator("h2 .pill").first).to_have_text("active")


def test_a_link_from_a_chat_leads_to_the_lead_and_keeps_the_login(start: Site, page: Page):
    receipt = opt_in(start.deps, "delivered+chat@resend.dev")
    lead = f"{start.url}/console/leads/{receipt.contact_id}"
    # For a browser localhost is another site than 127.0.0.1.
    page.route("http://localhost:1/", lambda route: route.fulfill(body=f'<a href="{lead}">CRITICAL lead</a>',
                                                                  content_type="text/html"))  # fmt: skip
    page.goto("http://localhost:1/")
    page.get_by_role("link", name="CRITICAL lead").click()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    page.goto(f"{start.url}/console/")
    expect(page.get_by_role("heading", name="Today")).to_be_visible()


def test_a_login_that_is_over_is_asked_for_again_and_then_the_page_is_there(start: Site, page: Page):
    receipt = opt_in(start.deps, "delivered+later@resend.dev")
    page.goto(f"{start.url}/console/do/pause/{receipt.enrolment_id}")
    was = start.deps.now()
    start.deps.now.at = was + timedelta(hours=13)
    page.locator("main").get_by_role("button").click()
    expect(page.get_by_text("Nothing was changed: you are not logged in, or your login is over.")).to_be_visible()
    fits(page)
    page.get_by_role("link", name="To the login").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(f"{start.url}/console/leads?words=later")
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("Password").fill("console")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{start.url}/console/leads?words=later")
    expect(page.locator("#found")).to_contain_text("delivered+later@resend.dev")
    start.state = page.context.storage_state()


def test_typing_after_the_login_is_over_leads_to_the_login(start: Site, page: Page):
    page.goto(f"{start.url}/console/leads")
    start.deps.now.forward(hours=13)
    page.get_by_label("Address, name or business").press_sequentially("ana")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    start.state = None


def test_without_redis_and_notion_the_pages_say_what_is_away(start: Site, page: Page):
    start.deps.queues.away = True
    page.goto(f"{start.url}/console/")
    expect(page.get_by_text("Redis cannot be reached").first).to_be_visible()
    fits(page)
    start.deps.queues.away = False


def test_whoever_tries_too_often_is_told_for_how_long_to_wait(start: Site, page: Page):
    start.let_in(page.context, login=False)
    page.goto(f"{start.url}/console/")
    # A slow machine gets a try back every few of its own.
    for _ in range(60):
        if page.get_by_role("heading", name="Log in").count() == 0:
            break
        page.get_by_label("Your name").fill("Olga")
        page.get_by_label("Password").fill("wrong")
        with page.expect_navigation():
            page.get_by_role("button", name="Log in").click()
        expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_text("Try again in")).to_be_visible()
    fits(page)
