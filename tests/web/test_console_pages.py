"""The console's pages: what they show to whom."""

import codecs
import re

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select

from funnel_app.flows.console import operate
from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.notifications.digest import digest
from funnel_app.flows.monitoring.scheduled_doctor import watch_with_doctor
from funnel_app.flows.templates.serving import check_templates
from funnel_app.gateways.errors import Rejected
from funnel_app.ledger import incidents
from funnel_app.ledger.models import Contact, Enrolment
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.web.console.downloads import TABLES
from tests.apps import application
from tests.console_world import enter_day, send, sign_up
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in, write_templates
from tests.sqlite_files import open_copy
from tests.test_words import NOT_THE_OWNERS
from tests.web.console import Operator


@pytest.fixture
def olga(olga, deps) -> Operator:
    write_templates(deps)
    return olga


@pytest.fixture(scope="module")
def place(migrated_sqlite, tmp_path_factory):
    """A filled ledger with an operator at its console."""
    engine = open_copy(migrated_sqlite, tmp_path_factory.mktemp("console") / "funnel.db")
    deps = make_deps(engine)
    world = enter_day(deps)
    operator = Operator(application(deps).test_client())
    operator.log_in()
    yield deps, operator, world
    engine.dispose()


def needs_of(text: str) -> int:
    """Count the rows of what needs a person, those that are folded among them."""
    rows = "ol.needs > li:not(.folded), ol.needs > .folded > details > ul > li"
    return len(LexborHTMLParser(text).css(rows))


def trouble(deps):
    """Let six things need a person, and a lead be paused on purpose."""
    operate.pause(deps, sign_up(deps, 0).enrolment_id, "Olga")
    for number in range(5):
        payload = {"email": f"delivered+wrong{number}@resend.dev"}
        refuse(deps, campaign="christmas", hook="signup", payload=payload, errors={"assessment_score": ["?"]})
    note(deps, {("doctor", f"check-{number}"): "does not work" for number in range(4)}, ())
    pause_sending(deps, PauseRequest("five_day", "new prices", ""), "Olga")


def test_today_has_a_row_for_each_thing_that_the_headline_counts(olga, deps):
    trouble(deps)
    text = olga.get("/console/").text
    assert "6 things need you" in text and "<title>(6) Today" in text and needs_of(text) == 6
    assert "1 more of these" in text.partition('<summary id="rest-needs">')[2]
    folded = text.partition('<summary id="rest-refused">')[2].partition("</details>")[0]
    assert "3 more of these" in folded and folded.count(">Fix and replay</a>") == 3
    assert text.count(">Fix and replay</a>") == 5 and text.count(">Resume</a>") == 1, "none is told twice"
    assert "Paused by somebody, so nothing goes to them: 1 lead" in text


def test_a_stop_is_told_with_what_to_do_before_what_needs_somebody(olga, deps):
    trouble(deps)
    deps.pause.pause("401 missing_api_key", 300, "config")
    note(deps, {("sending_paused", ""): "401 missing_api_key"}, ())
    text = olga.get("/console/").text
    assert "<title>Stopped: Today" in text and needs_of(text) == 6
    assert text.index("Fix what Resend names") < text.index('<ol class="todo needs')


class TestReading:
    """One filled ledger, only looked at."""

    @pytest.fixture
    def deps(self, place):
        return place[0]

    @pytest.fixture
    def olga(self, place):
        return place[1]

    @pytest.fixture
    def world(self, place):
        return place[2]

    def test_today_shows_what_needs_a_person_with_the_way_to_fix_it(self, olga, world):
        text = olga.get("/console/").text
        for words in (
            "3 of “Day 1: your holiday playbook”", "no page in the templates database", "Look again",
            "It was delivered", "Fix and replay", "assessment_score: 0 to 100.", "Resume", "things need you",
        ):  # fmt: skip
            assert words in text, words

    def test_a_row_that_notion_refuses_is_told_on_the_lead_s_page_and_in_its_trace(self, olga, world, deps):
        contact_id = world["delivered"].contact_id
        with deps.sessions.begin() as session:
            contact = session.get(Contact, contact_id)
            contact.mirror_error, address = "Segment is not a property that exists", contact.email
        text = olga.get(f"/console/leads/{contact_id}").text
        assert "Notion does not take this lead’s row: Segment is not a property that exists" in text
        said = olga.client.application.test_cli_runner().invoke(args=["trace", address]).output
        assert "Notion does not take this lead's row: Segment is not a property that exists" in said

    def test_a_lead_s_page_tells_everything(self, olga, world):
        text = olga.get(f"/console/leads/{world['delivered'].contact_id}").text
        for words in (
            "Salon Ana",
            "Europe/Paris",
            "of 5 emails delivered",
            "CET",
            "theirs:",
            "Resend: delivered",
            "Skip",
        ):
            assert words in text, words
        assert "Nothing goes to this address" in olga.get(f"/console/leads/{world['bounced'].contact_id}").text

    def test_a_lead_s_page_leads_to_the_call_that_began_a_sequence(self, olga, world):
        call = f'href="/console/hooks/{world["delivered"].hook_id}"'
        text = olga.get(f"/console/leads/{world['delivered'].contact_id}").text
        assert f"{call}>The call that began it" in text and text.count(call) == 2, "and in what happened"

    def test_an_email_is_shown_as_it_was_sent(self, olga, world):
        sent, planned = email_ids(world["delivered"])[0], email_ids(world["delivered"])[4]
        text = olga.get(f"/console/emails/{sent}").text
        for words in (
            "About lead_nurture_email_1",
            "List-Unsubscribe",
            "Text part",
            "version ",
            "Tag sequence",
            "sandbox title=",
        ):
            assert words in text, words
        assert "<p>Hi Ana" not in text, "its HTML is in the frame only"
        framed = olga.get(f"/console/emails/{sent}/html")
        assert "<p>Hi Ana" in framed.text
        assert framed.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "Nothing was written yet" in olga.get(f"/console/emails/{planned}").text
        assert olga.get(f"/console/emails/{planned}/html").status_code == 404

    def test_sequences_are_drawn(self, olga, world):
        text = olga.get("/console/sequences").text
        assert text.count('<ol class="steps"') == 6 and "4 stuck" in text and "<b>5</b> leads are here" in text
        assert "Ends early, and does not begin, after: assessment, booking, new client" in text
        assert "Out of season its event starts the same, without email 5." in text

    def test_a_step_lists_who_is_there_and_one_that_is_not_is_said(self, olga, world):
        text = olga.get("/console/sequences/christmas/lead_nurture/1").text
        assert "5 leads have this email as their next.</strong> 1 paused. 4 stuck." in text
        assert f"/console/leads/{world['ambiguous'].contact_id}" in text
        assert "Nobody is here now" in olga.get("/console/sequences/christmas/postcall_maybe/3").text
        for path in ("christmas/lead_nurture/9", "christmas/nothing/1", "nothing/lead_nurture/1"):
            assert olga.get(f"/console/sequences/{path}").status_code == 404, path

    def test_the_calendar_is_clear_also_when_it_is_empty(self, olga, deps, world):
        text = olga.get("/console/calendar").text
        assert "Due already" in text and "3 held" in text and "1 paused" in text and "Mon" in text
        deps.pause.pause("401 missing_api_key", 300, "config")
        assert "Nothing of this goes now: all sending is paused" in olga.get("/console/calendar").text

    @pytest.mark.parametrize("path", ["", "sequences", "templates/christmas_email_5"])
    def test_whether_the_season_is_open_is_said_where_it_matters(self, olga, world, path):
        text = olga.get(f"/console/{path}").text
        assert "The holiday season is open, through 5 December" in text
        assert ("This email goes in season only." in text) == path.startswith("templates")

    def test_figures_are_charts_and_tables(self, olga, world):
        text = olga.get("/console/figures?days=7").text
        for words in (
            "95 of 100 arrived within",
            "From opt-in to client",
            "promise: a minute",
            "Marked as spam".lower(),
        ):
            assert words in text, words
        assert text.count('<svg class="chart ') == 6 and text.count("<desc") == 6, "each for a desk and for a phone"
        for odd in ("days=nonsense", "from=x&to=2026-11-01", "from=2026-11-30&to=2026-11-01", "campaign=nothing"):
            assert olga.get(f"/console/figures?{odd}").status_code == 200
        assert (
            "Figures from 2026-11-01 to 2026-11-07" in olga.get("/console/figures?from=2026-11-01&to=2026-11-07").text
        )
        year = olga.get("/console/figures?from=2025-12-01&to=2026-11-24").text
        assert "first day of a week" in year

    def test_each_table_comes_as_csv_with_the_same_columns_whatever_is_in_it(self, olga, world):
        for name in TABLES:
            spans = ("days=7", "from=2020-01-01&to=2020-01-07")
            full, empty = [olga.get(f"/console/figures/{name}.csv?{span}").text.splitlines() for span in spans]
            assert full[0] == empty[0] and len(full) == len(empty), name
            assert {line.count(",") for line in full} == {full[0].count(",")}, name
            assert not NOT_THE_OWNERS.search(full[0]) and "handed over" not in full[0], name
        way = olga.get("/console/figures/way.csv?days=7&campaign=christmas")
        assert way.mimetype == "text/csv" and way.text.startswith("\ufeffstage,people,")
        named = 'filename="funnel-way-christmas-2026-11-18-to-2026-11-24.csv"'
        assert named in way.headers["Content-Disposition"]
        assert olga.get("/console/figures/nothing.csv").status_code == 404

    def test_templates_show_their_faults_and_a_preview(self, olga, world, deps):
        text = olga.get("/console/templates").text
        assert "held" in text and "no page in the templates database" in text
        assert "Notion is asked for it within a minute." in text
        text = olga.get("/console/templates/christmas_email_1").text
        assert ("a made-up lead" in text and "Nothing to fix" in text) or "warning" in text
        framed = olga.get("/console/templates/christmas_email_1/preview?lead=delivered%2Bana0@resend.dev")
        assert "Hi Ana" in framed.text and framed.headers["Content-Security-Policy"].startswith("sandbox")
        assert "Nobody with the address" in olga.get("/console/templates/christmas_email_1?lead=x@resend.dev").text
        deps.notebook.pages.pop("precall_prep_email_1")
        assert olga.get("/console/templates/precall_prep_email_1/preview").status_code == 404

    def test_hooks_are_listed_and_shown(self, olga, world):
        text = olga.get("/console/hooks?outcome=refused").text
        assert "delivered+nadia@" in text and "accepted</span>" not in text
        assert "accepted</span>" in olga.get("/console/hooks?outcome=nonsense").text
        accepted = world["delivered"].hook_id
        assert "To the lead" in olga.get(f"/console/hooks/{accepted}").text


class TestReadingOthers:
    """Ledgers of their own."""

    def test_today_is_calm_where_nothing_is_wrong(self, olga):
        text = olga.get("/console/").text
        assert "Nothing. All goes by itself." in text and "sending is on" in text

    def test_what_keeps_everything_from_going_is_said_on_top(self, olga, deps):
        deps.queues.away = True
        text = olga.get("/console/").text
        assert "Redis does not work" in text and "cannot be reached" in text and "No lead and no email" not in text
        deps.queues.away = False
        deps.pause.pause("401 missing_api_key", 60, "config")
        text = olga.get("/console/").text
        assert "401 missing_api_key" in text and "Sending is paused" in text and "No lead and no email" not in text

    def test_leads_are_searched_and_paged(self, olga, deps):
        for number in range(52):
            opt_in(deps, f"lead{number}@resend.dev")
        text = olga.get("/console/leads").text
        assert "lead51@" in text and "lead2@" in text and "lead1@resend" not in text
        older = re.search(r'href="(/console/leads\?after=[^"]+)"', text)[1]
        assert "lead1@resend" in olga.get(older).text and "Older leads" not in olga.get(older).text
        assert "lead7@" in olga.get("/console/leads?words=LEAD7%40").text
        assert "No lead fits" in olga.get("/console/leads?words=nobody&state=paused&trouble=held").text
        assert olga.get("/console/leads?after=nonsense").status_code == 200

    def test_what_a_lead_typed_is_never_markup(self, olga, deps):
        receipt = sign_up(
            deps, 0, contact={"first_name": "<script>alert(1)</script>", "business_name": '"><img src=x>'}
        )
        text = olga.get(f"/console/leads/{receipt.contact_id}").text + olga.get("/console/leads").text
        assert "<script>alert" not in text and "<img" not in text and "&lt;script&gt;" in text


class TestHealth:
    """What the watch found stands on Today; the doctor examines only on a page of its own."""

    def test_what_is_wrong_stands_on_today_until_it_is_over(self, olga, deps):
        assert "workers are there" in olga.get("/console/").text
        deps.account.fault = Rejected("resend", "API key is invalid", "invalid_api_key")
        watch_with_doctor(deps)
        shown = olga.get("/console/").text
        assert "A check found a fault (resend key)" in shown and "API key is invalid" in shown
        assert "All goes by itself" not in shown
        assert 'href="/console/doctor"' in shown
        deps.account.fault = None
        deps.now.forward(minutes=3)
        watch_with_doctor(deps)
        shown = olga.get("/console/").text
        assert "A check found a fault" not in shown and "Resend key: ok" in shown

    def test_what_the_doctor_last_found_is_a_strip_on_today(self, olga, deps):
        assert "All checks were looked at" not in olga.get("/console/").text, "nobody has examined anything yet"
        watch_with_doctor(deps)
        shown = olga.get("/console/").text
        well = shown.count('<li class="ok" title="')
        assert well > 15 and '<span class="unseen">Ledger: ok</span>' in shown
        assert '<li class="warning" title="Test email: none has run yet">' in shown
        assert '<span class="pill wait">warning</span> Test email' in shown
        assert f": {well} ok.</p>" in shown
        deps.process_status.away = True
        assert "All checks were looked at" not in olga.get("/console/").text

    def test_the_doctor_examines_on_its_page_with_the_worst_first(self, olga, deps):
        deps.account.fault = Rejected("resend", "API key is invalid", "invalid_api_key")
        shown = olga.get("/console/doctor")
        assert shown.status_code == 200
        assert "What to do:</strong> Make a key at resend.com" in shown.text
        statuses = re.findall(r">(fault|warning|ok)</span>", shown.text)
        assert statuses == sorted(statuses, key=["fault", "warning", "ok"].index) and set(statuses) >= {"fault", "ok"}

    def test_the_health_page_has_the_headline_of_today_with_addresses_in_full(self, olga, deps):
        write_templates(deps)
        send(deps, opt_in(deps, "emil@resend.dev"), 1, "email.bounced", "the mailbox does not exist")
        seen = {("bounced", ""): "1 email to e***@resend.dev: the mailbox does not exist"}
        note(deps, seen, ())
        deps.now.forward(minutes=5)
        note(deps, seen, ())
        pages = [LexborHTMLParser(olga.get(f"/console/{page}").text) for page in ("", "doctor")]
        today, health = [shown.css_first(".headline").text(strip=True) for shown in pages]
        assert today == health and "emil@resend.dev" in health

    def test_a_fault_found_on_the_health_page_stands_on_today_at_once_and_goes_with_it(self, olga, deps):
        def headlines():
            """What Health says and then Today, Trace and the digest."""
            health, today = [
                LexborHTMLParser(olga.get(f"/console/{page}").text).css_first(".headline").text(strip=True).rstrip(".")
                for page in ("doctor", "")
            ]
            return {health, today, current_headline(deps).sentence, digest(deps, deps.now().date()).splitlines()[0]}

        (well,) = headlines()
        assert "check found a fault" not in well
        deps.account.fault = Rejected("resend", "API key is invalid", "invalid_api_key")
        (said,) = headlines()
        assert "A check found a fault (resend key)" in said
        assert "API key is invalid" in olga.get("/console/").text
        deps.account.fault = None
        assert headlines() == {well}
        with deps.reads() as session:
            assert not incidents.current(session), "only the watch tells chats"

    def test_today_itself_asks_nobody_outside(self, olga, deps, monkeypatch):
        monkeypatch.setattr(deps.account, "domains", lambda: pytest.fail("Resend is asked"))
        monkeypatch.setattr(deps.notebook, "whoami", lambda: pytest.fail("Notion is asked"))
        assert olga.get("/console/").status_code == 200

    def test_a_stranger_cannot_have_everything_examined(self, client):
        assert client.get("/console/doctor").status_code == 303


def test_a_simulation_shows_what_a_lead_would_get_and_changes_nothing(deps, olga):
    check_templates(deps)
    asked = "/console/simulate?sequence=five_day&sample=critical&at=2026-12-03+14:00&then=booking+%2B1d"
    words = olga.client.get(asked).text
    assert "About christmas_email_1" in words and "starts “Before the call”; ends “Five-day follow-up”" in words
    assert "cancelled, booked a call" in words
    with deps.reads() as session:
        assert session.scalar(select(Enrolment.id)) is None
    assert "missed call, came to the call after all" in olga.get("/console/simulate").text
    assert not re.search(r"\b(?:opt_in|no_show|booking_\w+)\b", olga.get("/console/simulate").text)
    wrong = olga.client.get("/console/simulate?sequence=five_day&at=soon")
    assert wrong.status_code == 422 and "is not a time such as" in wrong.text


class TestListAndTheme:
    """What somebody takes along, and how the pages look."""

    @pytest.mark.both_databases
    def test_the_list_comes_as_csv_with_the_filters_of_the_page_and_is_written_down(self, olga, deps):
        for number in (1, 10):
            sign_up(deps, number)
        assert "1 lead fits" in olga.get("/console/leads?words=kei10").text
        answer = olga.get("/console/leads.csv?words=kei10")
        head, row = answer.text.strip().splitlines()
        assert head == "\ufeffemail,name,business,segment,sequences,next email,next email due,since,status,consent date"
        assert answer.data.startswith(codecs.BOM_UTF8), "or Excel spoils every accent"
        assert row.startswith("delivered+kei10@resend.dev,Kei,Kei Hair Lab,,") and ": active," in row
        with deps.reads() as session:
            told = session.scalars(select(OperatorAction.detail).where(OperatorAction.action == "export")).all()
        assert told == ["took a list of 1 lead along as CSV"]

    @pytest.mark.parametrize(("chosen", "kept"), [("dark", "dark"), ("light", "light"), ("", ""), ('"><script>', "")])
    def test_the_theme_that_was_chosen_is_in_the_page_and_no_other_word(self, client, chosen, kept):
        operator = Operator(client)
        operator.log_in()
        answer = operator.send("/console/theme", form="/console/", theme=chosen, next="/console/leads")
        assert (answer.status_code, answer.location) == (303, "/console/leads")
        client.set_cookie("funnel_theme", chosen, path="/console/")
        assert (f'data-theme="{kept}"' in operator.get("/console/").text) is bool(kept)
