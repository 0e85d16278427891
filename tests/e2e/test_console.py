"""The console's pages in a real Chromium, on a desktop and a phone: they fit, can be used by everybody, and lead on."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, expect

from funnel_app.campaigns.states import State
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.sending.deliver import deliver
from funnel_app.gateways.redis.queue import Queues
from funnel_app.ledger.models import Email
from tests.console_world import come_eight_times, report
from tests.e2e.site import SIZES, Site, pages
from tests.flows.leads import call, email_ids

GRAVE = {"serious", "critical"}
SCREENS = {360: 800, 390: 844, 768: 1024, 1280: 900}
# For what the width of a screen changes.
AT_EACH_SIZE = pytest.mark.parametrize("size", SIZES)
NAMES = ("login", "today", "leads", "lead", "lead-abroad", "lead-veteran", "lead-bounced", "email", "email-planned",
         "sequences", "step", "calendar", "templates", "template", "template-version", "figures", "hooks",
         "hook", "hook-refused",
         "outgoing", "replies", "ask",
         "enrol", "doctor", "nowhere", "runbook", "aside", "settle", "address", "simulate", "lists", "list",
         "search", "pauses", "actions")  # fmt: skip


def test_no_page_of_the_console_is_forgotten(filled: Site):
    rules = {rule.endpoint for rule in filled.app.url_map.iter_rules() if rule.endpoint.startswith("console.")}
    reached = {filled.app.url_map.bind("").match(path.partition("?")[0])[0] for path in pages(filled).values()}
    posted = {r.endpoint for r in filled.app.url_map.iter_rules() if "POST" in (r.methods or ())}
    # What is shown inside a page, what is downloaded, and the question of a button have tests of their own.
    assert rules - posted - reached == {"console.email_html", "console.template_preview", "console.version_preview",
                                        "console.figures_csv", "console.leads_csv", "console.list_csv",
                                        "console.ask_resume"}  # fmt: skip


@pytest.fixture(scope="module")
def screens(filled: Site) -> Iterator[dict[bool, Page]]:
    """Olga's screen and a stranger's, at which one page after the other is looked at.

    The console's policy would refuse axe's own script; it is the page that is looked at.
    """
    opened = {login: filled.open(login=login, bypass_csp=True) for login in (True, False)}
    yield opened
    for page in opened.values():
        page.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_page_fits_and_can_be_used_by_everybody(filled: Site, screens: dict[bool, Page], name):
    """All is looked at by day on a desktop and by night on a phone: colours in both lights where those show else."""
    page, faults = screens[name != "login"], []

    def keep(error: Error) -> None:
        faults.append(str(error))

    page.on("pageerror", keep)
    page.goto(filled.url + pages(filled)[name])
    for size, screen in SIZES.items():
        page.set_viewport_size(screen)
        assert page.evaluate(OVERFLOW) == 0, f"the page is wider than the screen of a {size}"
    page.evaluate(DROP_ALIKE)
    page.evaluate(Axe().axe_script)
    grave = look(page, "desktop", "light")
    page.evaluate(KEEP_SHOWN)
    grave += look(page, "phone", "dark")
    if page.evaluate(MARK_OTHERS):
        grave += look(page, "phone", "light", OTHERS) + look(page, "desktop", "dark", OTHERS)
    page.remove_listener("pageerror", keep)
    assert grave == []
    assert faults == []


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
VIOLATIONS = """among => axe.run(among ? document.querySelectorAll(among) : document, {
  resultTypes: ["violations"], ...(among && {runOnly: ["color-contrast"]})}).then(found => found.violations)"""


def look(page: Page, size: str, theme: str, among: str = "") -> list[object]:
    """Return what somebody cannot use of a page that axe has been brought to; among some nodes, only their colours."""
    page.set_viewport_size(SIZES[size])
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    found = page.evaluate(VIOLATIONS, among)
    targets = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found if each["impact"] in GRAVE]
    return [(size, theme, *each) for each in targets]


def test_without_scripts_every_page_says_the_same_and_with_them_none_is_refused(filled: Site):
    read: list[dict[str, str]] = []
    refused: list[str] = []
    for scripts in (True, False):
        page = filled.open(java_script_enabled=scripts)
        page.on("console", lambda message: refused.append(message.text))
        read.append({})
        for name, path in pages(filled).items():
            answer = page.goto(filled.url + path)
            assert answer is not None and answer.status == (404 if name == "nowhere" else 200)
            expect(page.locator("h1")).to_be_visible()
            # Free room on a disk, say, is another a moment later; a request's number is another each time.
            read[-1][name] = re.sub(r"\b[0-9a-f]{12,}\b|\d[\d.,]*", "#", page.locator("main").inner_text())
        page.context.close()
    assert read[0] == read[1] and all(len(text) > 40 for text in read[1].values())
    # What the letters themselves want, such as their scripts, the frame refuses on purpose.
    assert [text for text in refused if "Content Security Policy" in text or "Refused" in text] == []


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


def test_leads_are_found_while_typing(console: Page, filled: Site):
    console.goto(f"{filled.url}/console/leads")
    console.get_by_label("Address, name or business").press_sequentially("haarwerk")
    expect(console.locator("#found tbody tr").first).to_contain_text("Haarwerk Béla")
    expect(console).to_have_url(re.compile("words=haarwerk"))


def test_lists_are_filtered_and_paged(console: Page, filled: Site):
    console.goto(f"{filled.url}/console/leads")
    console.get_by_text("Only some of them").click()
    console.get_by_label("Where it stands").select_option("paused")
    console.get_by_role("button", name="Search").click()
    expect(console.locator("#found tbody tr")).to_have_count(1)
    console.get_by_label("Where it stands").select_option("")
    console.get_by_role("button", name="Search").click()
    expect(console.locator("#found tbody tr")).to_have_count(50)
    first = console.locator("#found tbody tr").first.inner_text()
    console.get_by_role("link", name="Older leads").click()
    expect(console.locator("#found tbody tr").first).not_to_have_text(first)
    console.goto(f"{filled.url}/console/hooks")
    console.get_by_role("link", name="Older calls").click()
    expect(console.locator("tbody tr").first).to_be_visible()
    console.get_by_label("What became of it").select_option("refused")
    console.get_by_role("button", name="Show").click()
    expect(console.locator("tbody tr")).to_have_count(1)


def test_the_letter_is_shown_in_a_frame_in_which_links_lead_nowhere(console: Page, filled: Site):
    email_id = email_ids(filled.leads["delivered"])[0]
    console.goto(f"{filled.url}/console/emails/{email_id}")
    letter = console.frame_locator("iframe")
    expect(letter.locator("body")).to_contain_text("Ana")
    letter.get_by_role("link", name=re.compile("nsubscribe")).first.click()
    console.wait_for_timeout(200)
    assert console.url.endswith(str(email_id)), "the page itself never leaves"


def test_a_template_is_seen_as_a_lead_or_a_made_up_one_would_get_it(console: Page, filled: Site):
    console.goto(f"{filled.url}/console/templates")
    console.get_by_role("link", name="Audit all in Notion now").click()
    expect(console.get_by_role("status")).to_contain_text("A letter can be made of every template.")
    console.get_by_role("link", name="Day 1: your results", exact=True).click()
    letter = console.frame_locator("iframe")
    before = letter.locator("body").inner_text()
    console.get_by_label("Made-up lead").select_option(index=1)
    console.get_by_role("button", name="Show").click()
    expect(letter.locator("body")).not_to_have_text(before)
    console.get_by_label("As this lead would get it").fill("delivered+chloe2@resend.dev")
    console.get_by_role("button", name="Show").click()
    expect(letter.locator("body")).to_contain_text("Chloé")
    where = filled.deps.settings.notion_api_url
    expect(console.get_by_role("link", name="Open in Notion")).to_have_attribute("href", re.compile(f"^{where}/page"))


@AT_EACH_SIZE
def test_a_sequence_turns_upright_on_a_phone_and_a_step_shows_who_is_there(console: Page, filled: Site, size: str):
    console.set_viewport_size(SIZES[size])
    console.goto(f"{filled.url}/console/sequences")
    steps = console.get_by_role("list", name="The emails of “Nurture for new opt-ins”").get_by_role("link")
    first, second = steps.nth(0).bounding_box(), steps.nth(1).bounding_box()
    assert first and second
    upright = size == "phone"
    assert (second["y"] > first["y"], second["x"] > first["x"]) == (upright, not upright)
    expect(steps.nth(0)).to_contain_text("5 leads are here")
    steps.nth(0).click()
    expect(console.locator("main")).to_contain_text("5 leads have this email as their next.")
    expect(console.locator("tbody tr")).to_have_count(5)
    console.locator("tbody").get_by_role("link").first.click()
    expect(console.get_by_role("heading", name="What happened")).to_be_visible()


def test_a_lead_is_told_on_two_screens_however_many_sequences_they_were_in(filled: Site):
    leads = {who: filled.leads[who].contact_id for who in ("booked", "client", "veteran", "held", "ambiguous")}
    leads |= {
        "eight": come_eight_times(filled.deps),
        "five in doubt": come_eight_times(filled.deps, "five", in_doubt=True),
    }
    leads |= {"long": held_for_long(filled).contact_id}
    page, tall = filled.open(), {}
    for who, contact_id in leads.items():
        page.goto(f"{filled.url}/console/leads/{contact_id}")
        for width, height in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            expect(page.locator(".next-email")).to_be_in_viewport(ratio=1)
            if page.evaluate("document.documentElement.scrollHeight") > 2 * height:
                tall[who, width] = page.evaluate("document.documentElement.scrollHeight")
    page.context.close()
    assert tall == {}


def held_for_long(site: Site) -> Receipt:
    """Let somebody with names as long as they may be come in, and a long reason hold their first email."""
    contact = {"first_name": LONG[:60], "business_name": "Hair and nails " * 8}
    receipt = enrol(site.deps, call(f"delivered+{LONG[:45].lower()}@resend.dev", contact=contact))
    with site.deps.sessions.begin() as session:
        email = session.get_one(Email, email_ids(receipt)[0])
        email.state, email.reason = State.HELD, f"template lead_nurture_email_1 cannot be rendered: {'word ' * 80}"
    return receipt


def test_what_is_over_and_what_runs_beside_is_a_click_away(console: Page, filled: Site):
    console.goto(f"{filled.url}/console/leads/{come_eight_times(filled.deps)}")
    runs = console.locator("details.run[open]")
    expect(runs).to_have_count(1)
    expect(runs).to_contain_text("Welcome for new clients")
    over = console.get_by_text("After a missed call", exact=False).first
    expect(over).to_be_hidden()
    console.get_by_text("6 are over").click()
    expect(over).to_be_visible()


@AT_EACH_SIZE
def test_a_day_of_the_calendar_opens_what_goes_on_it(console: Page, size: str):
    console.set_viewport_size(SIZES[size])
    console.get_by_role("navigation").get_by_role("link", name="Calendar").click()
    day = console.locator("details.on").last
    expect(day.locator("tbody")).to_be_hidden()
    if size == "desktop":
        console.locator(".weeks a").last.click()
    else:
        day.locator("summary").click()
    expect(day.locator("tbody tr").first).to_be_visible()


def test_figures_are_of_the_days_that_one_chooses_and_come_as_csv(console: Page, filled: Site):
    console.goto(f"{filled.url}/console/figures")
    console.get_by_role("link", name="7 days").click()
    expect(console.locator("h1")).to_have_text("Figures of the last 7 days")
    for name in ("From opt-in to client", "Emails by the day they were due", "How long emails took"):
        expect(console.get_by_role("img", name=name)).to_have_count(1)
        expect(console.get_by_role("img", name=name)).to_be_visible()
    console.get_by_text("As a table").first.click()
    expect(console.get_by_role("region", name="Emails by day").locator("tbody tr")).to_have_count(7)
    console.get_by_text("Other days").click()
    console.get_by_label("From", exact=True).fill("2026-12-01")
    console.get_by_label("To", exact=True).fill("2026-12-03")
    console.get_by_role("button", name="Show").click()
    expect(console.locator("h1")).to_have_text("Figures from 2026-12-01 to 2026-12-03")
    for link, name in (
        ("From opt-in to client", "way"),
        ("Emails by day", "days"),
        ("How long emails took", "lengths"),
    ):
        with console.expect_download() as download:
            console.get_by_role("link", name=f"{link} as CSV", exact=True).click()
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
def test_tab_goes_to_everything_in_reading_order_and_shows_where_it_is(filled: Site, name):
    page = filled.open()
    page.goto(filled.url + pages(filled)[name])
    number = page.evaluate(
        f"""() => {{ window.all = [...document.querySelectorAll("{REACHED}")].filter(each => each.checkVisibility());
        return all.length }}"""
    )
    reached, unseen = [], []
    for _ in range(number):
        page.keyboard.press("Tab")
        at, shown = page.evaluate(
            "[all.indexOf(document.activeElement), getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached.append(at)
        unseen += [at] if shown == "none" else []
    page.context.close()
    assert (reached, unseen) == (list(range(number)), [])


def test_what_was_opened_stays_open_and_has_the_focus_when_a_lead_s_page_looks_again(console: Page, filled: Site):
    path = pages(filled)["lead"]
    console.goto(filled.url + path)
    opened = console.locator("#who-it-is")
    opened.click()
    opened.evaluate("each => { each.dataset.old = 'yes' }")
    console.evaluate(f"htmx.ajax('GET', '{path}', {{target: '#lead', select: '#lead', swap: 'outerHTML'}})")
    expect(console.locator("[data-old]")).to_have_count(0)
    expect(opened).to_be_focused()
    expect(console.locator("#who")).to_have_attribute("open", "")
    within = console.locator("#do-address")
    within.focus()
    within.evaluate("each => { each.dataset.old = 'yes' }")
    console.evaluate(f"htmx.ajax('GET', '{path}', {{target: '#lead', select: '#lead', swap: 'outerHTML'}})")
    expect(console.locator("[data-old]")).to_have_count(0)
    expect(within).to_be_focused()


def test_a_slash_leads_to_the_box_that_finds_a_lead_from_every_page(console: Page, filled: Site):
    console.goto(f"{filled.url}/console/figures")
    console.keyboard.press("/")
    expect(console.get_by_label("Find a lead, an email or an id")).to_be_focused()
    console.keyboard.type("haarwerk")
    console.keyboard.press("Enter")
    console.get_by_role("link", name="delivered+bela1@resend.dev").click()
    expect(console.locator("h1")).to_contain_text("Béla")


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


def test_no_page_scrolls_sideways_whatever_long_word_stands_on_it(filled: Site):
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
    page = filled.open()
    more = {
        "lead-long": f"/console/leads/{receipt.contact_id}",
        "email-long": f"/console/emails/{email_ids(receipt)[0]}",
        "jobs": "/console/rq/",
        "jobs-waiting": "/console/rq/0/view/jobs/emails/queued/8/asc/1",
        "job-long": f"/console/rq/0/view/job/{LONG}",
        "workers": "/console/rq/0/view/workers",
    }
    wide = {}
    for name, path in {**pages(filled), **more}.items():
        page.goto(filled.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        for width in SCREENS:
            page.set_viewport_size({"width": width, "height": 800})
            if over := page.evaluate(OVERFLOW) + page.evaluate(CUT_NAVIGATION):
                wide[name, width] = over
    page.context.close()
    filled.deps.pause.lift()
    assert wide == {}
