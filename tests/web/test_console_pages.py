"""The console's pages and buttons: what they show, that each asks first, and that it is done by the operator."""

import codecs
import re
from dataclasses import replace

import pytest
from redis import Redis
from rq import Queue
from rq.job import JobStatus
from sqlalchemy import select

from funnel_app.flows.console import operate
from funnel_app.flows.monitoring.watch_doctor import watch_with_doctor
from funnel_app.flows.templates.serving import check_templates, ready_version
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger import operator_actions
from funnel_app.ledger.engine import open_engine
from funnel_app.ledger.models import Contact, Enrolment, Suppression
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.web.console.downloads import TABLES
from tests.apps import application
from tests.console_world import fill, hold, send, sign_up
from tests.factories import make_deps
from tests.flows.leads import email_ids, look, opt_in, states, write_templates
from tests.redis_server import RedisServer
from tests.web.callers import BEARER
from tests.web.console import Operator


@pytest.fixture
def olga(client, deps) -> Operator:
    write_templates(deps)
    operator = Operator(client)
    operator.log_in()
    return operator


@pytest.fixture
def world(deps, olga):
    return fill(deps)


@pytest.fixture(scope="module")
def place(migrated_sqlite, tmp_path_factory):
    """A filled ledger with an operator at its console."""
    path = tmp_path_factory.mktemp("console") / "funnel.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    deps = make_deps(engine)
    write_templates(deps)
    operator = Operator(application(deps).test_client())
    operator.log_in()
    yield deps, operator, fill(deps)
    engine.dispose()


@pytest.fixture(scope="module")
def redis():
    """A Redis of these tests' own."""
    with RedisServer() as server:
        yield server


def did(deps) -> list[tuple[str, str]]:
    with deps.reads() as session:
        rows = session.scalars(select(OperatorAction).order_by(OperatorAction.at, OperatorAction.id))
        return [(row.operator, row.action) for row in rows]


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

    def test_today_shows_what_needs_a_person_with_the_way_to_mend_it(self, olga, world):
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
            "ours:",
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
        assert "Nothing goes now: all sending is paused" in olga.get("/console/calendar").text

    @pytest.mark.parametrize("path", ["", "sequences", "templates/christmas_email_5"])
    def test_whether_the_season_is_open_is_said_where_it_matters(self, olga, world, path):
        text = olga.get(f"/console/{path}").text
        assert "The holiday season is open, through December 5" in text
        assert ("This email goes in season only." in text) == path.startswith("templates")

    def test_today_shows_the_first_of_each_kind_and_the_others_a_click_away(self, olga, world, deps):
        assert "more of these" not in olga.get("/console/").text
        for number in range(40, 45):
            operate.pause(deps, sign_up(deps, number).enrolment_id, "Olga")
        text = olga.get("/console/").text
        folded = text.partition('<summary id="rest-paused">')[2].partition("</details>")[0]
        assert "3 more of these" in folded and folded.count(">Resume</a>") == 3
        assert text.count(">Resume</a>") == 6, "none is told twice"

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
        way = olga.get("/console/figures/way.csv?days=7&campaign=christmas")
        assert way.mimetype == "text/csv" and way.text.startswith("\ufeffstage,people,")
        named = 'filename="funnel-way-christmas-2026-11-18-to-2026-11-24.csv"'
        assert named in way.headers["Content-Disposition"]
        assert olga.get("/console/figures/nothing.csv").status_code == 404

    def test_templates_show_their_faults_and_a_preview(self, olga, world, deps):
        text = olga.get("/console/templates").text
        assert "held" in text and "no page in the templates database" in text and "No email needed it yet" in text
        text = olga.get("/console/templates/christmas_email_1").text
        assert ("a made-up lead" in text and "Nothing to mend" in text) or "warning" in text
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
        assert "Redis cannot be reached" in text and "mend what stands under Health" in text
        deps.queues.away = False
        deps.pause.pause("401 missing_api_key", 60, "config")
        assert "401 missing_api_key" in olga.get("/console/").text

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


class TestButtons:
    @pytest.mark.parametrize(
        ("verb", "state"), [("pause", "active"), ("stop", "active"), ("send_next_now", "active"), ("resume", "paused")]
    )
    def test_each_says_what_will_happen_asks_and_changes_nothing_by_that(self, olga, deps, verb, state):
        receipt = opt_in(deps, "delivered+ana@resend.dev")
        if verb == "resume":
            olga.send(f"/console/do/pause/{receipt.enrolment_id}")
        before = did(deps)
        page = olga.get(f"/console/do/{verb}/{receipt.enrolment_id}")
        assert page.status_code == 200 and "Nurture for new opt-ins" in page.text and "done by Olga" in page.text
        assert did(deps) == before
        with deps.reads() as session:
            assert session.get(Enrolment, receipt.enrolment_id).state == state

    @pytest.mark.parametrize("verb", ["pause", "stop", "send_next_now"])
    def test_each_does_it_under_the_operator_s_name_and_says_so(self, olga, deps, verb):
        receipt = opt_in(deps)
        answer = olga.send(f"/console/do/{verb}/{receipt.enrolment_id}")
        assert (answer.status_code, answer.location) == (303, f"/console/leads/{receipt.contact_id}")
        page = olga.get(answer.location).text
        assert "Done: " in page and "Olga: " in page
        assert did(deps) == [("Olga", verb)]

    def test_resume_and_skip_and_suppress(self, olga, deps):
        receipt = opt_in(deps)
        olga.send(f"/console/do/pause/{receipt.enrolment_id}")
        olga.send(f"/console/do/resume/{receipt.enrolment_id}")
        olga.send(f"/console/do/skip_step/{email_ids(receipt)[1]}")
        olga.send(f"/console/do/suppress/{receipt.contact_id}", scope="marketing")
        assert states(deps, receipt) == ["cancelled", "skipped", "cancelled", "cancelled", "cancelled"]
        assert did(deps) == [("Olga", verb) for verb in ("pause", "resume", "skip_step", "suppress")]
        with deps.reads() as session:
            assert session.scalars(select(Suppression.scope)).all() == ["marketing"]

    def test_what_is_suppressed_without_a_choice_gets_nothing(self, olga, deps):
        receipt = opt_in(deps)
        olga.send(f"/console/do/suppress/{receipt.contact_id}")
        with deps.reads() as session:
            assert session.scalars(select(Suppression.scope)).all() == ["all"]
        assert "Nothing goes to this address" in olga.get(f"/console/leads/{receipt.contact_id}").text

    def test_a_lead_is_erased_and_who_did_it_stays_written(self, olga, deps):
        receipt = opt_in(deps, "delivered+gone@resend.dev")
        answer = olga.send(f"/console/do/erase/{receipt.contact_id}")
        assert answer.status_code == 303
        assert "Done: the lead is forgotten" in olga.get(answer.location).text
        assert "gone@" not in olga.get("/console/leads").text
        assert did(deps) == [("Olga", "erase")]

    def test_nothing_more_is_done_to_an_erased_lead(self, olga, deps):
        receipt = opt_in(deps, "delivered+gone@resend.dev")
        lead = f"/console/leads/{receipt.contact_id}"
        ask = [f"/console/do/{verb}/{receipt.contact_id}" for verb in ("suppress", "erase")]
        olga.send(ask[1])
        with deps.reads() as session:
            before = session.scalars(select(Suppression.id)).all()
        for path in ask:
            answer = olga.send(path)
            assert answer.status_code == 409 and "was erased already" in answer.text
            assert path not in olga.get(lead).text, "nor is it offered"
        with deps.reads() as session:
            assert session.scalars(select(Suppression.id)).all() == before

    def test_what_is_not_possible_any_more_is_told_with_the_reason(self, olga, deps):
        receipt = opt_in(deps)
        olga.send(f"/console/do/stop/{receipt.enrolment_id}")
        answer = olga.send(f"/console/do/pause/{receipt.enrolment_id}")
        assert answer.status_code == 409 and "“Nurture for new opt-ins” is over" in answer.text

    def test_all_in_doubt_are_counted_before_they_are_settled_and_none_is_said_to_be_none(self, olga, world):
        assert "1 email is in doubt." in olga.get("/console/settle").text
        olga.send("/console/settle", form="/console/settle", outcome="delivered")
        text = olga.get("/console/settle").text
        assert "No email is in doubt now" in text and "They were delivered" not in text

    def test_an_ambiguous_email_is_settled(self, olga, deps, world):
        email_id = email_ids(world["ambiguous"])[0]
        olga.send(f"/console/do/found_delivered/{email_id}")
        assert look(deps, email_id).state == "delivered"
        assert olga.send(f"/console/do/send_again/{email_id}").status_code == 409

    def test_a_held_email_is_tried_now_and_a_failed_one_again(self, olga, deps):
        held = hold(deps, 1)
        page = olga.get(f"/console/leads/{held.contact_id}").text
        assert "Try now" in page
        olga.send(f"/console/do/release/{email_ids(held)[0]}")
        assert look(deps, email_ids(held)[0]).state == "planned"
        assert olga.send(f"/console/do/retry/{email_ids(held)[0]}").status_code == 409
        assert did(deps) == [("Olga", "release")]

    def test_somebody_is_enrolled_by_hand(self, olga, deps):
        answer = olga.send(
            "/console/enrol", email="eva@resend.dev", sequence="christmas/lead_nurture", variables="first_name=Eva"
        )  # fmt: skip
        page = olga.get(answer.location).text
        assert "Eva" in page and "“Nurture for new opt-ins”: accepted" in page
        assert did(deps) == [("Olga", "enrol")]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"email": "nonsense", "sequence": "christmas/lead_nurture"}, "is not an email address"),
            ({"email": "a@resend.dev", "sequence": "nothing"}, "There is no sequence nothing"),
            ({"email": "a@resend.dev", "sequence": "christmas/five_day", "variables": "hello"}, "name=value"),
            ({"email": "a@resend.dev", "sequence": "christmas/precall_prep", "variables": ""}, "is about a call"),
        ],
    )
    def test_what_cannot_be_enrolled_is_told_and_the_form_keeps_what_was_typed(self, olga, deps, fields, words):
        answer = olga.send("/console/enrol", **fields)
        assert answer.status_code == 422 and words in answer.text and fields["email"] in answer.text
        assert f">{fields.get('variables', '')}</textarea>" in answer.text
        assert "></textarea>" in olga.get("/console/enrol").text
        assert did(deps) == []

    def test_held_emails_are_looked_at_again(self, olga, deps):
        receipt = hold(deps, 2)
        answer = olga.send("/console/look-again", form="/console/", key="lead_nurture_email_1")
        assert answer.status_code == 303 and "2 held emails" in olga.get("/console/").text
        assert look(deps, email_ids(receipt)[0]).next_attempt_at == deps.now()
        assert olga.send("/console/look-again", form="/console/", key="nothing").status_code == 404

    def test_a_template_is_read_again(self, olga, deps):
        path = "/console/templates/christmas_email_1"
        assert olga.send(f"{path}/read", form=path).status_code == 303
        assert "Nothing to mend" in olga.get(path).text or "warning" in olga.get(path).text
        deps.notebook.fault = Unavailable("notion", "502")
        answer = olga.send(f"{path}/read", form=path)
        assert answer.status_code == 503 and "Notion cannot be asked now" in answer.text


class TestTemplates:
    """What the template pages do with Notion and Resend."""

    PATH = "/console/templates/christmas_email_1"

    def test_all_are_audited_in_notion_now_with_what_to_do(self, olga, deps):
        deps.notebook.pages.pop("christmas_email_2")
        deps.notebook.write("Old thoughts")
        text = olga.get("/console/templates?audit=1").text
        for words in ("Some templates cannot be sent", "Make a page of that name", "Old thoughts"):
            assert words in text, words
        deps.notebook.fault = Unavailable("notion", "502")
        assert "Notion cannot be asked now" in olga.get("/console/templates?audit=1").text
        assert "Notion cannot be asked now" in olga.get(self.PATH).text

    def test_what_a_lead_lacks_is_said(self, olga, deps):
        write_templates(deps, html="<p>{{ portal_url }}</p>")
        opt_in(deps, "ana@resend.dev")
        assert "Nothing provides portal_url" in olga.get(f"{self.PATH}?lead=ana@resend.dev").text
        assert "Nothing provides" not in olga.get(f"{self.PATH}?sample=urgent").text

    def test_a_draft_is_held_and_not_good(self, olga, deps):
        check_templates(deps)
        deps.now.forward(seconds=1)
        deps.notebook.write("christmas_email_1", status="Draft")
        check_templates(deps)
        for path in ("/console/templates", self.PATH):
            assert "held" in olga.get(path).text and "Draft" in olga.get(path).text
        assert "leads get it" not in olga.get(self.PATH).text

    def test_an_earlier_text_is_shown_beside_and_chosen_again(self, olga, deps):
        ready_version(deps, "christmas_email_1")
        deps.now.forward(seconds=1)
        deps.notebook.write("christmas_email_1", subject="Half a sen", html="<p>Hi {{ first_name }}, half a sen</p>")
        check_templates(deps)
        text = olga.get(self.PATH).text
        assert "a newer text waits" in text and "Leads get this now" in text
        (waits,) = re.findall(rf'href="({self.PATH}/versions/[0-9a-f-]{{36}})">Half a sen</a>', text)
        assert "Serve this one again?" in olga.get(waits).text
        assert "half a sen" in olga.get(f"{waits}/preview?sample=urgent").text
        assert olga.send(f"{waits}/serve", form=waits).status_code == 303
        assert did(deps) == [("Olga", "serve_again")] and "Leads get it now" in olga.get(waits).text
        answer = olga.send(f"{waits}/serve", form=self.PATH)
        assert answer.status_code == 409 and "serves already" in answer.text
        elsewhere = waits.replace("christmas_email_1", "christmas_email_2")
        assert olga.get(elsewhere).status_code == 404

    def test_a_test_is_sent_and_written_down(self, olga, deps):
        answer = olga.send(f"{self.PATH}/test", form=self.PATH, to="delivered@resend.dev", sample="nonsense")
        assert answer.status_code == 303
        assert deps.mailer.sent_to() == ["delivered@resend.dev"]
        assert deps.mailer.sent()[0]["subject"].startswith("[Test] ")
        assert did(deps) == [("Olga", "send_test")]

    @pytest.mark.parametrize("to", ["nonsense", "somebody@elsewhere.example"])
    def test_a_test_that_may_not_be_sent_is_refused_with_the_reason(self, olga, deps, to):
        answer = olga.send(f"{self.PATH}/test", form=self.PATH, to=to)
        assert answer.status_code == 422 and "No test was sent" in answer.text and deps.mailer.sent() == []

    def test_a_test_of_what_cannot_be_made_is_told(self, olga, deps):
        deps.notebook.pages.clear()
        answer = olga.send(f"{self.PATH}/test", form=self.PATH, to="delivered@resend.dev")
        assert answer.status_code == 422 and "no page in the templates database" in answer.text


class TestReplay:
    @pytest.fixture
    def refused(self, olga, deps) -> str:
        payload = {"email": "delivered+nadia@resend.dev", "assessment_score": 380}
        assert olga.client.post("/webhook/christmas/signup", json=payload, headers=BEARER).status_code == 422
        page = olga.get("/console/hooks?outcome=refused").text
        return re.search(r'href="(/console/hooks/[0-9a-f-]{36})"', page)[1]

    def test_a_refused_call_is_mended_and_sent_again(self, olga, deps, refused):
        assert "assessment_score" in olga.get(refused).text
        answer = olga.send(f"{refused}/replay", form=refused, **{"set-assessment_score": "38"})
        assert answer.status_code == 303
        page = olga.get(refused).text
        assert "Done: accepted, 5 emails." in page and "It was taken as" in page and "Replay</button>" not in page
        assert did(deps) == [("Olga", "replay")]
        assert "replay" not in olga.get("/console/").text.lower(), "it needs nobody any more"

    def test_one_that_is_refused_again_says_why(self, olga, refused):
        for value in ("", "lots"):
            answer = olga.send(f"{refused}/replay", form=refused, **{"set-assessment_score": value})
            assert answer.status_code == 422 and "Refused again" in answer.text

    def test_only_refused_calls_are_replayed(self, olga, deps, refused):
        accepted = opt_in(deps).hook_id
        answer = olga.send(f"/console/hooks/{accepted}/replay", form=refused)
        assert answer.status_code == 409 and "only refused calls are replayed" in answer.text


class TestQueues:
    """rq-dashboard behind the login, to look only."""

    @pytest.fixture
    def looking(self, deps, redis) -> Operator:
        app = application(replace(deps, settings=replace(deps.settings, redis_url=redis.url)))
        operator = Operator(app.test_client())
        operator.log_in()
        return operator

    @pytest.mark.parametrize("path", ["", "0/view/workers", "0/view/jobs", "0/data/queues.json", "0/data/workers.json"])
    def test_its_pages_are_shown(self, looking, path):
        answer = looking.get(f"/console/rq/{path}")
        assert answer.status_code == 200
        if answer.mimetype == "text/html":
            assert "← Funnel’s console" in answer.text

    def test_getting_requeue_runs_nothing_again(self, looking, redis):
        connection = Redis.from_url(redis.url)
        queue = Queue("emails", connection=connection)
        job = queue.enqueue("jobs.deliver.deliver", "x")
        queue.remove(job)
        job.set_status(JobStatus.FAILED)
        queue.failed_job_registry.add(job, ttl=600)
        for path in ("requeue/emails", f"job/{job.id}/requeue", f"job/{job.id}/delete", "queue/emails/failed/empty",
                     "queue/emails/compact"):  # fmt: skip
            token = re.search(r'name="csrf_token" value="([^"]+)"', looking.get("/console/").text)[1]
            for answer in (
                looking.get(f"/console/rq/{path}"),
                looking.client.post(f"/console/rq/{path}", data={"csrf_token": token}),
            ):
                assert answer.status_code in {404, 405}, path
        assert queue.count == 0 and queue.failed_job_registry.get_job_ids() == [job.id]
        connection.close()

    def test_a_job_that_is_gone_is_told(self, looking):
        assert looking.get("/console/rq/0/view/job/nothing").status_code == 404

    def test_without_redis_it_says_that_nothing_is_lost(self, olga):
        answer = olga.get("/console/rq/0/data/queues.json")
        assert answer.status_code == 503 and "No email is lost" in answer.text


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
        deps.vitals.away = True
        assert "All checks were looked at" not in olga.get("/console/").text

    def test_the_doctor_examines_on_its_page_with_the_worst_first(self, olga, deps):
        deps.account.fault = Rejected("resend", "API key is invalid", "invalid_api_key")
        shown = olga.get("/console/doctor")
        assert shown.status_code == 200
        assert "What to do:</strong> Make a key at resend.com" in shown.text
        statuses = re.findall(r">(fault|warning|ok)</span>", shown.text)
        assert statuses == sorted(statuses, key=["fault", "warning", "ok"].index) and set(statuses) >= {"fault", "ok"}

    def test_today_itself_asks_nobody_outside(self, olga, deps, monkeypatch):
        monkeypatch.setattr(deps.account, "domains", lambda: pytest.fail("Resend is asked"))
        monkeypatch.setattr(deps.notebook, "whoami", lambda: pytest.fail("Notion is asked"))
        assert olga.get("/console/").status_code == 200

    def test_a_stranger_cannot_have_everything_examined(self, client):
        assert client.get("/console/doctor").status_code == 303


def test_the_operator_s_words_outlive_the_lead_s_address(olga, deps):
    receipt = opt_in(deps, "delivered+secret@resend.dev")
    olga.send(f"/console/do/pause/{receipt.enrolment_id}")
    with deps.reads() as session:
        rows = operator_actions.of_contact(session, receipt.contact_id)
    assert all("secret" not in (row.detail or "") for row in rows)


def test_a_template_s_html_is_framed_whatever_it_holds(olga, deps):
    write_templates(deps, html="<script>top.location='https://evil.example'</script><p>{{ first_name }}</p>")
    receipt = opt_in(deps)
    send(deps, receipt, 1)
    page = olga.get(f"/console/emails/{email_ids(receipt)[0]}").text
    assert "evil.example" not in page


def test_a_simulation_shows_what_a_lead_would_get_and_changes_nothing(deps, olga):
    check_templates(deps)
    asked = "/console/simulate?sequence=five_day&sample=critical&at=2026-12-03+14:00&then=booking+%2B1d"
    words = olga.client.get(asked).text
    assert "About christmas_email_1" in words and "starts precall prep; ends five day" in words.replace("_", " ")
    assert "cancelled, booked a call" in words
    with deps.reads() as session:
        assert session.scalar(select(Enrolment.id)) is None
    wrong = olga.client.get("/console/simulate?sequence=five_day&at=soon")
    assert wrong.status_code == 422 and "is not a time such as" in wrong.text


class TestListAndTheme:
    """What somebody takes along, and how the pages look."""

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


class TestPauses:
    """All sending, and one sequence, paused from the console."""

    def test_what_it_means_is_said_first_and_it_stands_on_every_page_that_tells_how_all_is(self, olga, deps):
        opt_in(deps)
        wish = {"what": "all", "reason": "moving <b>house</b>", "until": "Monday 09:00"}
        said = olga.send("/console/pauses", **wish)
        assert said.status_code == 200 and "5 emails are due before that" in said.text
        assert "Nothing is paused" in olga.get("/console/pauses").text, "nothing changed yet"
        assert olga.send("/console/pauses", **wish, sure="yes").status_code == 303
        for path in ("/console/", "/console/pauses", "/console/doctor"):
            page = olga.get(path).text
            assert "by Olga: moving &lt;b&gt;house" in page and "<b>house" not in page, path
        assert olga.send("/console/pauses/resume", form="/console/pauses", what="all").status_code == 303
        assert "Nothing is paused" in olga.get("/console/pauses").text
        log = olga.get("/console/log").text
        assert log.index("Resume") < log.index("moving &lt;b&gt;house") and "console" in log

    def test_a_wish_that_cannot_be_met_is_answered_with_its_words_kept(self, olga):
        answer = olga.send("/console/pauses", what="all", reason="x", until="soon")
        assert answer.status_code == 409 and "“soon” is no time" in answer.text and 'value="soon"' in answer.text
