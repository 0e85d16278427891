"""Every button of the console in a real Chromium, on a phone: each says what will happen, asks, and does it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from funnel_app.flows.console import operate
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.serving import ready_version
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.web.console.buttons import BUTTONS
from tests.console_world import UNCLEAR, hold
from tests.e2e.site import ON_A_PHONE, Site
from tests.flows.leads import email_ids, opt_in, states

# How a page fits at each width is `test_console.py`'s; what a button does is the same at all.
pytestmark = ON_A_PHONE


def running(site: Site, name: str) -> Receipt:
    """A lead whose first sequence runs."""
    return opt_in(site.deps, f"delivered+{name}@resend.dev")


def paused(site: Site, name: str) -> Receipt:
    receipt = running(site, name)
    operate.pause(site.deps, UUID(str(receipt.enrolment_id)), "Olga")
    return receipt


def suppressed(site: Site, name: str) -> Receipt:
    receipt = running(site, name)
    operate.suppress(site.deps, receipt.contact_id, "Olga")
    return receipt


def answered(answer: Answer) -> Callable[[Site, str], Receipt]:
    """Return how to make a lead to whose first email Resend said this."""

    def arrange(site: Site, name: str) -> Receipt:
        # What was wrong with the texts is fixed, and looked at again.
        site.deps.now.forward(minutes=3)
        receipt = running(site, name)
        site.deps.mailer.script.append(answer)
        deliver(site.deps, email_ids(receipt)[:1])
        return receipt

    return arrange


@dataclass(frozen=True)
class Play:
    """How a button is reached on a lead's page, and what the lead's emails are afterwards (None: the lead is gone)."""

    arrange: Callable[[Site, str], Receipt]
    link: str
    then: tuple[str, ...] | None


FOUR = ("planned",) * 4
PLAYS = {
    "pause": Play(running, "Pause", ("planned", *FOUR)),
    "resume": Play(paused, "Resume", ("planned", *FOUR)),
    "stop": Play(running, "Stop", ("cancelled",) * 5),
    "send_next_now": Play(running, "Send next now", ("planned", *FOUR)),
    "skip_step": Play(
        running, "Skip “Day 2: five windows of the year”", ("planned", "skipped", "planned", "planned", "planned")
    ),
    "found_delivered": Play(answered(UNCLEAR), "It was delivered", ("delivered", *FOUR)),
    "send_again": Play(answered(UNCLEAR), "Send it again", ("planned", *FOUR)),
    "retry": Play(answered(Answer(AnswerKind.INVALID, detail="422 no")), "Try again", ("planned", *FOUR)),
    "release": Play(lambda site, name: hold(site.deps, 1, first=40 + len(name)), "Try now", ("planned", *FOUR)),
    "suppress": Play(running, "Mail no more", ("cancelled",) * 5),
    "mail_again": Play(suppressed, "Mail again", ("cancelled",) * 5),
    "erase": Play(running, "Erase", None),
}


def press(page: Page) -> None:
    """Press the button of the page that asks."""
    page.locator("main").get_by_role("button").click()


def unfold(page: Page) -> None:
    """Open everything that is folded, once all of the page has come."""
    page.wait_for_load_state()
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")


@pytest.mark.parametrize("verb", BUTTONS)
def test_a_button_says_what_will_happen_asks_and_does_it(screen: Page, filled: Site, verb: str):
    play, button = PLAYS[verb], BUTTONS[verb]
    receipt = play.arrange(filled, verb.replace("_", ""))
    before = states(filled.deps, receipt)
    lead = f"{filled.url}/console/leads/{receipt.contact_id}"
    screen.goto(lead)
    address = screen.locator(".head p").first.inner_text()
    unfold(screen)
    screen.get_by_role("link", name=play.link, exact=True).click()
    expect(screen.get_by_text(button.happens)).to_be_visible()
    expect(screen.get_by_text("This is written down as done by Olga.")).to_be_visible()
    screen.get_by_role("link", name="Leave it").click()
    expect(screen).to_have_url(lead)
    assert states(filled.deps, receipt) == before, "asking changes nothing"
    unfold(screen)
    screen.get_by_role("link", name=play.link, exact=True).click()
    press(screen)
    expect(screen.get_by_role("status")).to_contain_text("Done")
    if play.then is None:
        expect(screen.get_by_text("This lead was erased")).to_be_visible()
        screen.wait_for_load_state()
        expect(screen.get_by_role("link", name=play.link, exact=True)).to_have_count(0)
        assert address not in screen.content()
        return
    assert states(filled.deps, receipt) == list(play.then)
    expect(screen.locator(".timeline").first).to_contain_text("Olga")


def test_only_marketing_may_be_suppressed(screen: Page, filled: Site):
    receipt = running(filled, "calls-only")
    screen.goto(f"{filled.url}/console/leads/{receipt.contact_id}")
    screen.get_by_role("link", name="Mail no more").click()
    screen.get_by_label("What is no longer sent").select_option("marketing")
    press(screen)
    expect(screen.locator(".told.bad")).to_contain_text("No marketing goes to this address")


def test_what_is_not_possible_any_more_is_said(screen: Page, filled: Site):
    receipt = running(filled, "late")
    screen.goto(f"{filled.url}/console/do/pause/{receipt.enrolment_id}")
    operate.stop(filled.deps, UUID(str(receipt.enrolment_id)), "Pavel")
    press(screen)
    expect(screen.get_by_role("alert")).to_contain_text(
        "“Nurture for new opt-ins” is over: this is not possible any more."
    )


def test_somebody_is_enrolled_and_what_is_missing_is_said_before(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/leads")
    screen.get_by_role("link", name="Enrol somebody").click()
    screen.get_by_label("Address").fill("delivered+yara@resend.dev")
    screen.get_by_label("Sequence").select_option("christmas/precall_prep")
    screen.get_by_label("Variables").fill("first_name=Yara")
    screen.get_by_role("button", name="Enrol").click()
    expect(screen.get_by_role("alert")).to_contain_text("call_time")
    expect(screen.get_by_label("Variables")).to_have_value("first_name=Yara")
    screen.get_by_label("Sequence").select_option("christmas/lead_nurture")
    screen.get_by_role("button", name="Enrol").click()
    expect(screen.get_by_role("heading", name="Yara")).to_be_visible()
    expect(screen.get_by_role("status")).to_contain_text("is started")


def ask(page: Page, button: Locator) -> None:
    """Press a button by the keyboard, and wait until the page that asks listens to keys."""
    button.press("Enter")
    expect(page.locator("h1")).to_contain_text("?")
    page.wait_for_load_state()


def test_who_leaves_a_question_is_back_where_they_pressed_with_the_focus_there(screen: Page, filled: Site):
    lead = f"/console/leads/{filled.leads['booked'].contact_id}"
    for path, button in ((lead, "#do-suppress"), (lead, "[id^=skip-]"), ("/console/", "[id^=aside-]")):
        screen.goto(filled.url + path)
        unfold(screen)
        pressed = screen.locator(button).first
        ask(screen, pressed)
        screen.keyboard.press("Escape")
        expect(pressed).to_be_focused()
        assert screen.url == filled.url + path
        ask(screen, pressed)
        screen.get_by_role("link", name="Leave it").click()
        expect(pressed).to_be_focused()
    ask(screen, pressed)
    screen.get_by_label("Why, in a word").fill("called her")
    screen.keyboard.press("Escape")
    expect(screen.get_by_label("Why, in a word")).to_have_value("called her")


def test_what_needs_a_person_is_fixed_from_today(console: Page, filled: Site):
    todo = console.locator("section", has=console.get_by_role("heading", name="Needs attention"))
    todo.get_by_role("button", name="Look again at Day 1: your holiday playbook").first.click()
    expect(console.get_by_role("status").first).to_contain_text("looked at again")
    todo.get_by_role("link", name="It was delivered").first.click()
    press(console)
    expect(console.get_by_role("status").first).to_contain_text("recorded as delivered")
    console.goto(f"{filled.url}/console/")
    todo.get_by_role("link", name="Fix and replay").click()
    console.get_by_label("assessment_score").fill("a lot")
    console.get_by_role("button", name="Replay").click()
    expect(console.get_by_role("alert")).to_contain_text("Refused again")
    console.get_by_label("assessment_score").fill("38")
    console.get_by_role("button", name="Replay").click()
    expect(console.get_by_role("status")).to_contain_text("accepted")
    expect(console.get_by_role("heading", name="Replayed")).to_be_visible()


def test_a_template_is_read_again_and_tried_out(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/templates/christmas_email_2")
    screen.get_by_role("button", name="Read it from Notion now").click()
    expect(screen.get_by_role("status")).to_contain_text("was read from Notion just now")
    screen.get_by_label("Send a test to").fill("delivered+olga@resend.dev")
    screen.get_by_role("button", name="Send a test").click()
    expect(screen.get_by_role("status")).to_contain_text("a test was sent")
    assert filled.deps.mailer.sent_to()[-1] == "delivered+olga@resend.dev"


def test_a_newer_text_is_seen_beside_the_one_that_leads_get_and_an_earlier_one_serves_again(screen: Page, filled: Site):
    key = f"postcall_maybe_email_{2 if filled.width == 'phone' else 3}"
    deps = filled.deps
    subject = ready_version(deps, key).subject
    deps.now.forward(seconds=61)
    deps.notebook.write(key, subject="Half a sentence", html="<p>Hi {{ first_name }}, half a</p>")
    screen.goto(f"{filled.url}/console/templates/{key}")
    screen.get_by_role("button", name="Read it from Notion now").click()
    frames = screen.locator("iframe")
    expect(frames).to_have_count(2)
    screen.wait_for_load_state()
    left, right = (frames.nth(number).bounding_box() for number in (0, 1))
    assert left and right and (left["y"] < right["y"]) == (filled.width == "phone")
    screen.get_by_role("link", name="As on a phone").click()
    screen.wait_for_load_state()
    assert frames.nth(0).bounding_box()["width"] == pytest.approx(390, abs=35)
    screen.get_by_role("link", name="Half a sentence").click()
    expect(screen.locator(".differs")).to_contain_text(subject)
    screen.get_by_role("button", name="Serve this one again").click()
    expect(screen.get_by_role("status")).to_contain_text("“Half a sentence”")
    screen.get_by_role("link", name=subject).click()
    screen.get_by_role("button", name="Serve this one again").click()
    expect(screen.get_by_role("status")).to_contain_text("until its page in Notion changes again")
    expect(screen.locator("main")).to_contain_text("an older text, as chosen")


def test_a_call_is_put_aside_and_an_address_corrected(screen: Page, filled: Site):
    refuse(filled.deps, campaign="christmas", hook="signup", payload={"email": "delivered+w@resend.dev"},
           errors={"x": ["no"]})  # fmt: skip
    screen.goto(f"{filled.url}/console/")
    item = screen.locator(".todo > li:not(.rest)", has_text="delivered+w@resend.dev")
    item.get_by_role("link", name="Put aside").click()
    screen.get_by_label("Why, in a word").fill("a test")
    press(screen)
    expect(screen.get_by_role("status").first).to_contain_text("the call is put aside")
    screen.wait_for_load_state()
    expect(item).to_have_count(0)
    screen.goto(f"{filled.url}/console/leads/{running(filled, 'tipo').contact_id}")
    screen.get_by_text("Who it is").click()
    screen.get_by_role("link", name="Correct the address").click()
    screen.get_by_label("The right address").fill("delivered+typo@resend.dev")
    press(screen)
    expect(screen.get_by_role("status")).to_contain_text("5 emails that wait go there")


def test_all_that_is_in_doubt_is_settled_at_once(screen: Page, filled: Site):
    for name in ("doubt-a", "doubt-b"):
        answered(UNCLEAR)(filled, name)
    screen.goto(f"{filled.url}/console/")
    screen.get_by_role("link", name="Settle all").click()
    screen.get_by_role("button", name="They were delivered").click()
    expect(screen.get_by_role("status").first).to_contain_text("recorded as delivered")
    screen.wait_for_load_state()
    expect(screen.get_by_role("link", name="Settle all")).to_have_count(0)


def test_all_sending_is_paused_and_resumed(screen: Page, filled: Site):
    screen.goto(f"{filled.url}/console/pauses")
    screen.get_by_label("Why").fill("a test")
    screen.get_by_role("button", name="What would that do?").click()
    screen.get_by_role("button", name="Pause", exact=True).click()
    expect(screen.get_by_role("status").first).to_contain_text("Done")
    screen.get_by_role("button", name="Resume").click()
    expect(screen.get_by_text("Resume it now?")).to_be_visible()
    screen.get_by_role("button", name="Resume").click()
    expect(screen.get_by_text("Nothing is paused.")).to_be_visible()


def test_logging_out_ends_it(filled: Site):
    console = filled.open()
    console.goto(f"{filled.url}/console/")
    console.get_by_role("button", name="Log out").click()
    expect(console.get_by_role("heading", name="Log in")).to_be_visible()
    console.goto(f"{filled.url}/console/leads")
    expect(console.get_by_role("heading", name="Log in")).to_be_visible()


def test_no_button_is_forgotten(filled: Site):
    rules = filled.app.url_map.iter_rules()
    posts = {rule.endpoint for rule in rules if rule.endpoint.startswith("console.") and "POST" in (rule.methods or ())}
    # The theme is chosen in test_console.py; events, replies and lists have theirs pressed in tests/web/.
    elsewhere = {"console.choose_theme", "console.replay_given_up", "console.replay_event",
                 "console.forward_reply", "console.keep_list", "console.do_list"}  # fmt: skip
    # Each of these is pressed by a test above, the login by the fixture.
    assert posts - elsewhere == {"console.do", "console.enrol", "console.look_again", "console.replay_hook",
                     "console.read_template", "console.send_test", "console.logout", "console.try_login",
                     "console.put_aside", "console.settle_all", "console.correct_address",
                     "console.serve_version", "console.pause", "console.resume"}  # fmt: skip
    assert PLAYS.keys() == BUTTONS.keys()
