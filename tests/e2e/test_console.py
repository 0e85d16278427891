"""The console's pages in a real Chromium, on a desktop and a phone: they fit, can be used by everybody, and lead on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect

from funnel_app.campaigns.states import State
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.sending.deliver import deliver
from funnel_app.gateways.redis.queue import Queues
from funnel_app.ledger.models import Email
from tests.console_world import come_eight_times, report
from tests.e2e.accessibility import bring_axe, violations
from tests.e2e.site import SIZES, Site, pages
from tests.flows.leads import call, email_ids

SCREENS = {360: 800, 390: 844, 768: 1024, 1280: 900}
# For what the width of a screen changes.
AT_EACH_SIZE = pytest.mark.parametrize("size", SIZES)
NAMES = ("login", "today", "leads", "lead", "lead-abroad", "lead-veteran", "lead-bounced", "email", "email-planned",
         "sequences", "step", "calendar", "templates", "template", "template-version", "figures", "hooks",
         "hook", "hook-refused",
         "outgoing", "replies", "ask",
         "enrol", "doctor", "nowhere", "runbook", "aside", "settle", "address", "simulate", "lists", "list",
         "search", "pauses", "actions", "log-out")  # fmt: skip


def test_no_page_of_the_console_is_forgotten(filled: Site):
    rules = {rule.endpoint for rule in filled.app.url_map.iter_rules() if rule.endpoint.startswith("console.")}
    reached = {filled.app.url_map.bind("").match(path.partition("?")[0])[0] for path in pages(filled).values()}
    posted = {r.endpoint for r in filled.app.url_map.iter_rules() if "POST" in (r.methods or ())}
    # What is shown inside a page, what is downloaded, and the question of a button have tests of their own.
    assert rules - posted - reached == {"console.email_html", "console.template_preview", "console.version_preview",
                                        "console.figures_csv", "console.leads_csv", "console.list_csv",
                                        "console.ask_resume"}  # fmt: skip


@pytest.fixture(scope="module")
def screens(filled: Site, undrawn: Browser) -> Iterator[tuple[Page, Page]]:
    """Two screens at which one page after the other is measured and read: with scripts and without."""
    site = replace(filled, browser=undrawn)
    page, plain = (site.open(java_script_enabled=scripts) for scripts in (True, False))
    bring_axe(page.context)
    yield page, plain
    page.context.close()
    plain.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_page_fits_can_be_used_by_everybody_and_says_the_same_without_scripts(
    filled: Site, screens: tuple[Page, Page], name
):
    """All is looked at by day on a desktop and by night on a phone: colours in both lights where those show else."""
    page, plain = screens
    for screen in screens:
        filled.let_in(screen.context, login=name != "login")
    page.set_viewport_size(SIZES["desktop"])
    with faults_of(page, plain) as faults:
        said = open_page(page, filled, name)
        for size, screen_size in SIZES.items():
            page.set_viewport_size(screen_size)
            assert page.evaluate(OVERFLOW) == 0, f"the page is wider than the screen of a {size}"
        assert open_page(plain, filled, name) == said
        page.evaluate(DROP_ALIKE)
        grave = look(page, "phone", "dark")
        page.evaluate(KEEP_SHOWN)
        grave += look(page, "desktop", "light")
        if page.evaluate(MARK_OTHERS):
            grave += look(page, "desktop", "dark", OTHERS) + look(page, "phone", "light", OTHERS)
    assert grave == []
    assert faults == []


@contextmanager
def faults_of(*looked_at: Page) -> Iterator[list[str]]:
    """Gather what goes wrong on pages, and what their policy refuses; the letter within one wants what it may not."""
    faults: list[str] = []

    def refused(message: ConsoleMessage) -> None:
        faults.extend([message.text] if "Content Security Policy" in message.text or "Refused" in message.text else [])

    def failed(error: Error) -> None:
        faults.append(str(error))

    for page in looked_at:
        page.on("console", refused)
        page.on("pageerror", failed)
    yield faults
    for page in looked_at:
        page.remove_listener("console", refused)
        page.remove_listener("pageerror", failed)


def open_page(page: Page, site: Site, name: str) -> str:
    """Go to a page and return what it says, without what is another a moment later: free room, a request's number."""
    answer = page.goto(site.url + pages(site)[name])
    assert answer is not None and answer.status == (404 if name == "nowhere" else 200)
    titles, shown, mains, text = page.evaluate(READ)
    assert (titles, shown, mains) == (1, 1, 1)
    said = re.sub(r"\b[0-9a-f]{12,}\b|\d[\d.,]*", "#", text)
    assert len(said) > 40
    return said


# By one call: for a locator Playwright brings a script of 340 KB to each page.
READ = """() => {
  const [titles, mains] = ["h1", "main"].map(name => [...document.querySelectorAll(name)]);
  const isShown = ({ width, height }) => width > 0 && height > 0;
  const shown = titles.filter(each => each.checkVisibility({ visibilityProperty: true })
    && isShown(each.getBoundingClientRect()));
  return [titles.length, shown.length, mains.length, mains[0]?.innerText];
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_NAVIGATION = "(list => list ? list.scrollWidth - list.clientWidth : 0)(document.querySelector('nav ul'))"
# Of rows made alike the third says what two do, down to an id that stands twice, and costs axe as much as they.
DROP_ALIKE = """() => {
  const made = node => [node, ...node.querySelectorAll("*")].map(each => each.tagName +
    [...each.attributes].map(({ name, value }) => name === "class" ? value : name)).join();
  for (const list of document.querySelectorAll("tbody, ul, ol, svg, svg g")) {
    const seen = {};
    for (const row of [...list.children]) {
      const kind = made(row);
      seen[kind] = (seen[kind] ?? 0) + 1;
      if (seen[kind] > 2) row.remove();
    }
  }
}"""
KEEP_SHOWN = (
    "() => { window.shown = new Set([...document.querySelectorAll('body *')].filter(each => each.checkVisibility())) }"
)
MARK_OTHERS = """() => [...document.querySelectorAll("body *")].filter(
  each => each.toggleAttribute("data-other", shown.has(each) !== each.checkVisibility())).length"""
OTHERS = "[data-other]"


def look(page: Page, size: str, theme: str, among: str = "") -> list[object]:
    """Return what somebody cannot use of a page that axe has been brought to; among some nodes, only their colours."""
    page.set_viewport_size(SIZES[size])
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    return [(size, theme, *each) for each in violations(page, among)]


def test_without_scripts_leads_are_searched_and_buttons_pressed(filled: Site):
    page = filled.open(java_script_enabled=False)
    page.goto(f"{filled.url}/console/leads")
    page.get_by_label("Address, name or business").fill("haarwerk")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found tbody tr").first).to_contain_text("Haarwerk Béla")
    page.goto(f"{filled.url}/console/figures")
    expect(page.locator("svg rect").first).to_be_visible()
    page.goto(f"{filled.url}/console/leads/{filled.leads['booked'].contact_id}")
    for button in ("Pause", "Resume"):
        page.get_by_role("link", name=button, exact=True).click()
        page.locator("main").get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text("Done")
    page.context.close()


@AT_EACH_SIZE
def test_the_way_around_leads_to_every_page(console: Page, size: str):
    console.set_viewport_size(SIZES[size])
    for name in ("Leads", "Sequences", "Calendar", "Templates", "Figures", "Incoming", "Today"):
        link = console.get_by_role("navigation").get_by_role("link", name=name)
        expect(link).to_be_in_viewport(ratio=1)
        link.click()
        expect(console.locator("h1")).to_contain_text(name)
        expect(console.get_by_role("navigation").locator("[aria-current]")).to_have_text(name)


def test_leads_are_found_while_typing(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/leads")
    screen.get_by_label("Address, name or business").press_sequentially("haarwerk")
    expect(screen.locator("#found tbody tr").first).to_contain_text("Haarwerk Béla")
    expect(screen).to_have_url(re.compile("words=haarwerk"))


def test_lists_are_filtered_and_paged(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/leads")
    screen.get_by_text("Only some of them").click()
    screen.get_by_label("Where it stands").select_option("paused")
    screen.get_by_role("button", name="Search").click()
    expect(screen.locator("#found tbody tr")).to_have_count(1)
    screen.get_by_label("Where it stands").select_option("")
    screen.get_by_role("button", name="Search").click()
    expect(screen.locator("#found tbody tr")).to_have_count(50)
    first = screen.locator("#found tbody tr").first.inner_text()
    screen.get_by_role("link", name="Older leads").click()
    expect(screen.locator("#found tbody tr").first).not_to_have_text(first, use_inner_text=True)
    screen.goto(f"{filled.url}/console/hooks")
    screen.get_by_role("link", name="Older calls").click()
    expect(screen.locator("tbody tr").first).to_be_visible()
    screen.get_by_label("What became of it").select_option("refused")
    screen.get_by_role("button", name="Show").click()
    expect(screen.locator("tbody tr")).to_have_count(1)


def test_the_letter_is_shown_in_a_frame_in_which_links_lead_nowhere(screen: Page, filled: Site):
    email_id = email_ids(filled.leads["delivered"])[0]
    screen.goto(f"{filled.url}/console/emails/{email_id}")
    letter = screen.frame_locator("iframe")
    expect(letter.locator("body")).to_contain_text("Ana")
    with screen.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
        letter.get_by_role("link", name=re.compile("nsubscribe")).first.click()
    assert screen.url.endswith(str(email_id)), "the page itself never leaves"


def test_a_template_is_seen_as_a_lead_or_a_made_up_one_would_get_it(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/templates")
    screen.get_by_role("link", name="Audit all in Notion now").click()
    expect(screen.get_by_role("status")).to_contain_text("A letter can be made of every template.")
    screen.get_by_role("link", name="Day 1: your results", exact=True).click()
    letter = screen.frame_locator("iframe").locator("body")
    expect(letter).to_contain_text("Start here: Money.")
    before = letter.inner_text()
    screen.get_by_label("Made-up lead").select_option(index=1)
    screen.get_by_role("button", name="Show").click()
    expect(letter).to_contain_text("Start here: Marketing.")
    expect(letter).not_to_have_text(before, use_inner_text=True)
    screen.get_by_label("As this lead would get it").fill("delivered+chloe2@resend.dev")
    screen.get_by_role("button", name="Show").click()
    expect(letter).to_contain_text("Chloé")
    where = filled.deps.settings.notion_api_url
    expect(screen.get_by_role("link", name="Open in Notion")).to_have_attribute("href", re.compile(f"^{where}/page"))


@AT_EACH_SIZE
def test_a_sequence_turns_upright_on_a_phone_and_a_step_shows_who_is_there(screen: Page, filled: Site, size: str):
    screen.set_viewport_size(SIZES[size])
    screen.goto(f"{filled.url}/console/sequences")
    steps = screen.get_by_role("list", name="The emails of “Nurture for new opt-ins”").get_by_role("link")
    first, second = steps.nth(0).bounding_box(), steps.nth(1).bounding_box()
    assert first and second
    upright = size == "phone"
    assert (second["y"] > first["y"], second["x"] > first["x"]) == (upright, not upright)
    expect(steps.nth(0)).to_contain_text("5 leads are here")
    steps.nth(0).click()
    expect(screen.locator("main")).to_contain_text("5 leads have this email as their next.")
    expect(screen.locator("tbody tr")).to_have_count(5)
    screen.locator("tbody").get_by_role("link").first.click()
    expect(screen.get_by_role("heading", name="What happened")).to_be_visible()


def test_a_lead_is_told_on_two_screens_however_many_sequences_they_were_in(screen: Page, filled: Site):
    leads = {who: filled.leads[who].contact_id for who in ("booked", "client", "veteran", "held", "ambiguous")}
    leads |= {
        "eight": come_eight_times(filled.deps),
        "five in doubt": come_eight_times(filled.deps, "five", in_doubt=True),
    }
    leads |= {"long": held_for_long(filled).contact_id}
    tall = {}
    for who, contact_id in leads.items():
        screen.goto(f"{filled.url}/console/leads/{contact_id}")
        for width, height in SCREENS.items():
            screen.set_viewport_size({"width": width, "height": height})
            expect(screen.locator(".next-email")).to_be_in_viewport(ratio=1)
            if screen.evaluate("document.documentElement.scrollHeight") > 2 * height:
                tall[who, width] = screen.evaluate("document.documentElement.scrollHeight")
    assert tall == {}


def held_for_long(site: Site) -> Receipt:
    """Let somebody with names as long as they may be come in, and a long reason hold their first email."""
    contact = {"first_name": LONG[:60], "business_name": "Hair and nails " * 8}
    receipt = enrol(site.deps, call(f"delivered+{LONG[:45].lower()}@resend.dev", contact=contact))
    with site.deps.sessions.begin() as session:
        email = session.get_one(Email, email_ids(receipt)[0])
        email.state, email.reason = State.HELD, f"template lead_nurture_email_1 cannot be rendered: {'word ' * 80}"
    return receipt


def test_what_is_over_and_what_runs_beside_is_a_click_away(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/leads/{come_eight_times(filled.deps)}")
    runs = screen.locator("details.run[open]")
    expect(runs).to_have_count(1)
    expect(runs).to_contain_text("Welcome for new clients")
    over = screen.get_by_text("After a missed call", exact=False).first
    expect(over).to_be_hidden()
    screen.get_by_text("6 are over").click()
    expect(over).to_be_visible()


@AT_EACH_SIZE
def test_a_day_of_the_calendar_opens_what_goes_on_it(console: Page, size: str):
    console.set_viewport_size(SIZES[size])
    console.get_by_role("navigation").get_by_role("link", name="Calendar").click()
    console.wait_for_load_state()
    day = console.locator("details.on").last
    expect(day.locator("tbody")).to_be_hidden()
    if size == "desktop":
        console.locator(".weeks a").last.click()
    else:
        day.locator("summary").click()
    expect(day.locator("tbody tr").first).to_be_visible()


def test_figures_are_of_the_days_that_one_chooses_and_come_as_csv(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/figures")
    screen.get_by_role("link", name="7 days").click()
    expect(screen.locator("h1")).to_have_text("Figures of the last 7 days")
    for name in ("From opt-in to client", "Emails by the day they were due", "How long emails took"):
        expect(screen.get_by_role("img", name=name)).to_have_count(1)
        expect(screen.get_by_role("img", name=name)).to_be_visible()
    screen.get_by_text("As a table").first.click()
    expect(screen.get_by_role("region", name="Emails by day").locator("tbody tr")).to_have_count(7)
    screen.get_by_text("Other days").click()
    screen.get_by_label("From", exact=True).fill("2026-12-01")
    screen.get_by_label("To", exact=True).fill("2026-12-03")
    screen.get_by_role("button", name="Show").click()
    expect(screen.locator("h1")).to_have_text("Figures from 2026-12-01 to 2026-12-03")
    for link, name in (
        ("From opt-in to client", "way"),
        ("Emails by day", "days"),
        ("How long emails took", "lengths"),
    ):
        with screen.expect_download() as download:
            screen.get_by_role("link", name=f"{link} as CSV", exact=True).click()
        assert download.value.suggested_filename == f"funnel-{name}-2026-12-01-to-2026-12-03.csv"


def test_the_doctor_examines_again(console: Page):
    console.get_by_role("link", name="Run all checks").click()
    console.get_by_role("link", name="Examine again").click()
    expect(console.get_by_role("heading", name=re.compile(r"\d+ warnings?, \d+ ok"))).to_be_visible()


def test_the_focus_stays_when_today_looks_again_by_itself(console: Page):
    link = console.get_by_role("link", name="Fix and replay")
    link.focus()
    link.evaluate("link => { link.dataset.old = 'yes' }")
    console.evaluate("htmx.trigger('#today', 'htmx:abort'); htmx.ajax('GET', '/console/', {target: '#today', "
                     "select: '#today', swap: 'outerHTML'})")  # fmt: skip
    expect(console.locator("[data-old]")).to_have_count(0)
    expect(link).to_be_focused()


@AT_EACH_SIZE
def test_the_keyboard_reaches_the_content_and_shows_where_it_is(console: Page, size: str):
    console.set_viewport_size(SIZES[size])
    console.keyboard.press("Tab")
    expect(console.get_by_role("link", name="To the content")).to_be_in_viewport()
    console.keyboard.press("Enter")
    console.keyboard.press("Tab")
    focused = console.locator(":focus")
    assert focused.evaluate("node => document.getElementById('main').contains(node)")
    expect(focused).to_have_css("outline-style", "solid")


# What the keyboard has to reach, in the order in which it is read.
REACHED = "a[href], button, input:not([type=hidden]), select, textarea, summary, pre[tabindex='0']"


@pytest.mark.parametrize("name", ["today", "lead", "hook-refused"])
def test_tab_goes_to_everything_in_reading_order_and_shows_where_it_is(screen: Page, filled: Site, name):
    screen.goto(filled.url + pages(filled)[name])
    # The page does not make itself again meanwhile.
    number = screen.evaluate(
        f"""() => {{ document.addEventListener("htmx:beforeSwap", event => event.preventDefault());
        window.all = [...document.querySelectorAll("{REACHED}")].filter(each => each.checkVisibility());
        return all.length }}"""
    )
    reached, unseen = [], []
    for _ in range(number):
        screen.keyboard.press("Tab")
        at, shown = screen.evaluate(
            "[all.indexOf(document.activeElement), getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached.append(at)
        unseen += [at] if shown == "none" else []
    assert (reached, unseen) == (list(range(number)), [])


def test_what_was_opened_stays_open_and_has_the_focus_when_a_lead_s_page_looks_again(screen: Page, filled: Site):
    path = pages(filled)["lead"]
    screen.goto(filled.url + path)
    opened = screen.locator("#who-it-is")
    opened.click()
    opened.evaluate("each => { each.dataset.old = 'yes' }")
    screen.evaluate(f"htmx.ajax('GET', '{path}', {{target: '#lead', select: '#lead', swap: 'outerHTML'}})")
    expect(screen.locator("[data-old]")).to_have_count(0)
    expect(opened).to_be_focused()
    expect(screen.locator("#who")).to_have_attribute("open", "")
    within = screen.locator("#do-address")
    within.focus()
    within.evaluate("each => { each.dataset.old = 'yes' }")
    screen.evaluate(f"htmx.ajax('GET', '{path}', {{target: '#lead', select: '#lead', swap: 'outerHTML'}})")
    expect(screen.locator("[data-old]")).to_have_count(0)
    expect(within).to_be_focused()


def test_a_slash_leads_to_the_box_that_finds_a_lead_from_every_page(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/figures")
    screen.keyboard.press("/")
    expect(screen.get_by_label("Find a lead, an email or an id")).to_be_focused()
    screen.keyboard.type("haarwerk")
    screen.keyboard.press("Enter")
    screen.get_by_role("link", name="delivered+bela1@resend.dev").click()
    expect(screen.locator("h1")).to_contain_text("Béla")


def test_the_dark_that_was_chosen_stays_from_page_to_page(filled: Site):
    page = filled.open()
    page.goto(f"{filled.url}/console/sequences")
    page.get_by_role("button", name="dark").click()
    expect(page.locator("h1")).to_have_text("Sequences")
    for name in ("today", "figures", "doctor"):
        page.goto(filled.url + pages(filled)[name])
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="as this device").click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    page.context.close()


@AT_EACH_SIZE
def test_the_queues_are_shown_and_lead_back(console: Page, size: str):
    console.set_viewport_size(SIZES[size])
    faults: list[str] = []
    console.on("pageerror", lambda error: faults.append(str(error)))
    console.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    expect(console.get_by_role("link", name="← Funnel’s console")).to_be_visible()
    expect(console.locator("table").first).to_contain_text("transactional")
    console.get_by_role("link", name="← Funnel’s console").click()
    expect(console.get_by_role("heading", name="Today")).to_be_visible()
    assert faults == []


LONG = "Wolfeschlegelsteinhausenbergerdorff" * 3


def test_no_page_scrolls_sideways_whatever_long_word_stands_on_it(screens: tuple[Page, Page], filled: Site):
    screen, _ = screens
    filled.let_in(screen.context)
    long = {"first_name": LONG[:60], "business_name": LONG, "weakest_system_1": LONG}
    receipt = enrol(filled.deps, call(f"{LONG[:60].lower()}@resend.dev", contact=long))
    payload = {"email": f"{LONG[:60].lower()}@resend.dev"}
    refuse(filled.deps, campaign="christmas", hook="signup", payload=payload, errors={LONG: [LONG]})
    deliver(filled.deps, email_ids(receipt)[:1])
    report(filled.deps, email_ids(receipt)[0], "email.bounced", LONG * 2)
    queues = Queues(filled.deps.settings.redis_url)
    queues.push([(LONG, f"jobs.{LONG}", (), "emails")])
    queues.close()
    note(filled.deps, {("doctor", LONG): LONG, ("backup_failed", ""): LONG}, [])
    filled.deps.pause.pause(LONG, 600, "config")
    more = {
        "lead-long": f"/console/leads/{receipt.contact_id}",
        "email-long": f"/console/emails/{email_ids(receipt)[0]}",
        "jobs": "/console/rq/",
        "jobs-waiting": "/console/rq/0/view/jobs/emails/queued/8/asc/1",
        "job-long": f"/console/rq/0/view/job/{LONG}",
        "workers": "/console/rq/0/view/workers",
    }
    wide, widths = {}, list(SCREENS)
    for name, path in {**pages(filled), **more}.items():
        screen.goto(filled.url + path)
        screen.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        # The next page begins at the width at which this one ends.
        widths.reverse()
        for width in widths:
            screen.set_viewport_size({"width": width, "height": 800})
            if over := screen.evaluate(f"{OVERFLOW} + {CUT_NAVIGATION}"):
                wide[name, width] = over
    filled.deps.pause.lift()
    assert wide == {}
