"""The console in a real Chromium: every page and button, at desktop and phone width, and nothing serious for axe."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from funnel_app import create_app
from funnel_app.flows.doctor import examine_and_keep
from funnel_app.flows.populate import populate
from funnel_app.flows.watch import watch
from funnel_app.gateways.queue import Queues
from funnel_app.ledger.engine import open_engine
from tests.console_world import fill, live_days
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in, states
from tests.flows.test_doctor import LIVE
from tests.redis_server import RedisServer

PICTURES = Path(__file__).parents[2] / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def site(migrated_sqlite, tmp_path_factory) -> Iterator[dict[str, Any]]:
    """A console over HTTP with two weeks of leads behind it, and a Redis for rq-dashboard."""
    path = tmp_path_factory.mktemp("site") / "funnel.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    with RedisServer() as redis:
        deps = make_deps(engine, redis_url=redis.url, secret_key="k" * 32, **LIVE)
        queues = Queues(redis.url)
        queues.push([(f"noop-{queue}", "jobs.deliver.deliver", (), queue) for queue in ("emails", "transactional")])
        queues.close()
        populate(deps)
        live_days(deps)
        leads = fill(deps)
        watch(deps)
        examine_and_keep(deps)
        server = make_server("127.0.0.1", 0, create_app(deps), threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield {"deps": deps, "url": f"http://127.0.0.1:{server.server_port}", "leads": leads}
        server.shutdown()
        thread.join()
        server.server_close()
    engine.dispose()


@pytest.fixture(params=["desktop", "phone"])
def width(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def logged_in(browser, site) -> Any:
    """What a browser remembers once Olga has logged in; tries are throttled, so it is done once."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site['url']}/console/")
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("Password").fill("console")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


def open_page(browser: Browser, size, state: Any = None, **options) -> Page:
    return browser.new_context(viewport=size, storage_state=state, **options).new_page()


@pytest.fixture
def console(browser, site, logged_in) -> Iterator[Page]:
    """A desktop at which Olga is logged in, on Today."""
    page = open_page(browser, DESKTOP, logged_in)
    page.goto(f"{site['url']}/console/")
    yield page
    page.context.close()


def pages(site) -> dict[str, str]:
    leads = site["leads"]
    return {
        "login": "/console/login",
        "today": "/console/",
        "leads": "/console/leads",
        "lead": f"/console/leads/{leads['client'].contact_id}",
        "lead-abroad": f"/console/leads/{leads['delivered'].contact_id}",
        "email": f"/console/emails/{email_ids(leads['delivered'])[0]}",
        "email-planned": f"/console/emails/{email_ids(leads['delivered'])[4]}",
        "sequences": "/console/sequences",
        "templates": "/console/templates",
        "template": "/console/templates/christmas_email_1",
        "figures": "/console/figures?days=30",
        "hooks": "/console/hooks",
        "hook": f"/console/hooks/{leads['delivered'].hook_id}",
        "ask": f"/console/do/stop/{leads['booked'].enrolment_id}",
        "enrol": "/console/enrol",
        "doctor": "/console/doctor",
        "nowhere": "/console/nowhere",
    }


NAMES = ("login", "today", "leads", "lead", "lead-abroad", "email", "email-planned", "sequences", "templates",
         "template", "figures", "hooks", "hook", "ask", "enrol", "doctor",
         "nowhere")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_page_fits_and_can_be_used_by_everybody(browser, site, logged_in, width, name):
    size = DESKTOP if width == "desktop" else PHONE
    # axe's own script would be refused by the console's policy; it is the page that is looked at here.
    page = open_page(browser, size, None if name == "login" else logged_in, bypass_csp=True)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(site["url"] + pages(site)[name])
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = Axe().run(page).response["violations"]
    page.context.close()
    assert overflow == 0, "the page is wider than the screen"
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found if v["impact"] in GRAVE] == []
    assert faults == []


def test_nothing_on_any_page_is_refused_by_its_own_policy(console: Page, site):
    refused: list[str] = []
    console.on("console", lambda message: refused.append(message.text))
    for name, path in pages(site).items():
        if name != "nowhere":
            console.goto(site["url"] + path)
    # What the letters themselves want, such as their scripts, the frame refuses on purpose.
    assert [text for text in refused if "Content Security Policy" in text or "Refused" in text] == []


def test_the_way_around_leads_to_every_page(console: Page):
    for name in ("Leads", "Sequences", "Templates", "Figures", "Hooks", "Today"):
        console.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(console.locator("h1")).to_contain_text(name)
        expect(console.get_by_role("navigation").locator("[aria-current]")).to_have_text(name)


def test_leads_are_found_while_typing(console: Page, site):
    console.goto(f"{site['url']}/console/leads")
    console.get_by_label("Address, name or business").press_sequentially("haarwerk")
    expect(console.locator("#found tbody tr").first).to_contain_text("Haarwerk Béla")
    expect(console).to_have_url(re.compile("words=haarwerk"))


def test_without_scripts_everything_can_be_read_and_done(browser, site, logged_in):
    page = open_page(browser, DESKTOP, logged_in, java_script_enabled=False)
    page.goto(f"{site['url']}/console/leads")
    page.get_by_label("Address, name or business").fill("haarwerk")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found tbody tr").first).to_contain_text("Haarwerk Béla")
    page.goto(f"{site['url']}/console/figures")
    expect(page.locator("svg rect").first).to_be_visible()
    page.context.close()


def test_the_letter_is_shown_in_a_frame_in_which_links_lead_nowhere(console: Page, site):
    email_id = email_ids(site["leads"]["delivered"])[0]
    console.goto(f"{site['url']}/console/emails/{email_id}")
    letter = console.frame_locator("iframe")
    expect(letter.locator("body")).to_contain_text("Ana")
    link = letter.get_by_role("link", name=re.compile("nsubscribe")).first
    link.click()
    console.wait_for_timeout(200)
    assert console.url.endswith(str(email_id)), "the page itself never leaves"


@pytest.mark.parametrize(
    ("button", "state"),
    [("Pause", "paused"), ("Stop", "exited"), ("Send next now", "active")],
)
def test_a_button_asks_and_then_does_it(console: Page, site, button, state):
    receipt = opt_in(site["deps"], f"delivered+{state}{button[0].lower()}@resend.dev")
    lead = f"{site['url']}/console/leads/{receipt.contact_id}"
    console.goto(lead)
    console.get_by_role("link", name=button).click()
    console.get_by_role("link", name="Leave it").click()
    expect(console).to_have_url(lead)
    console.get_by_role("link", name=button).click()
    console.locator("main").get_by_role("button").click()
    expect(console.get_by_role("status")).to_contain_text("Done")
    expect(console.locator("h2 .pill").first).to_have_text(state)
    expect(console.locator(".timeline")).to_contain_text("Olga")


def test_resume_skip_and_suppress(console: Page, site):
    receipt = opt_in(site["deps"], "delivered+zoe@resend.dev")
    console.goto(f"{site['url']}/console/leads/{receipt.contact_id}")
    for link in ("Pause", "Resume", "Skip email 2 of lead nurture", "Suppress"):
        console.get_by_role("link", name=link, exact=True).click()
        console.locator("main").get_by_role("button").click()
        expect(console.get_by_role("status")).to_contain_text("Done")
    assert states(site["deps"], receipt) == ["cancelled", "skipped", "cancelled", "cancelled", "cancelled"]
    expect(console.locator(".told.bad")).to_contain_text("Nothing goes to this address")


def test_somebody_is_enrolled(console: Page, site):
    console.goto(f"{site['url']}/console/leads")
    console.get_by_role("link", name="Enrol somebody").click()
    console.get_by_label("Address").fill("delivered+yara@resend.dev")
    console.get_by_label("Variables").fill("first_name=Yara")
    console.get_by_role("button", name="Enrol").click()
    expect(console.get_by_role("heading", name="delivered+yara@resend.dev")).to_be_visible()


def test_what_needs_a_person_is_mended_from_today(console: Page, site):
    todo = console.locator("section", has=console.get_by_role("heading", name="What needs a person"))
    todo.get_by_role("button", name="Look again at lead_nurture_email_1").click()
    expect(console.get_by_role("status")).to_contain_text("looked at again")
    todo.get_by_role("link", name="It was delivered").click()
    console.locator("main").get_by_role("button").click()
    expect(console.get_by_role("status")).to_contain_text("recorded as delivered")
    console.goto(f"{site['url']}/console/")
    todo.get_by_role("link", name="Mend and replay").click()
    console.get_by_label("assessment_score").fill("38")
    console.get_by_role("button", name="Replay").click()
    expect(console.get_by_role("status")).to_contain_text("accepted")


def test_figures_come_as_csv(console: Page, site):
    console.goto(f"{site['url']}/console/figures")
    with console.expect_download() as download:
        console.get_by_role("link", name="CSV", exact=True).first.click()
    assert download.value.suggested_filename == "funnel-days-30-days.csv"


def test_the_queues_are_shown_and_lead_back(console: Page, site):
    faults: list[str] = []
    console.on("pageerror", lambda error: faults.append(str(error)))
    console.get_by_role("navigation").get_by_role("link", name="Queues").click()
    expect(console.get_by_role("link", name="← Funnel’s console")).to_be_visible()
    expect(console.locator("table").first).to_contain_text("transactional")
    console.screenshot(path=PICTURES / "queues-desktop.png", full_page=True)
    console.get_by_role("link", name="← Funnel’s console").click()
    expect(console.get_by_role("heading", name="Today")).to_be_visible()
    assert faults == []


def test_logging_out_ends_it(console: Page, site):
    console.get_by_role("button", name="Log out").click()
    expect(console.get_by_role("heading", name="Log in")).to_be_visible()
    console.goto(f"{site['url']}/console/leads")
    expect(console.get_by_role("heading", name="Log in")).to_be_visible()
