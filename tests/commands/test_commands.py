"""The commands as a person runs them: what they print, and the exit code that scripts go by."""

import json

import pytest
from sqlalchemy import text

from funnel_app.campaigns.catalogue import CATALOGUE
from funnel_app.flows.console.settle import correct_address
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.serving import check_templates
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Email
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import assess, email_ids, opt_in, write_templates


@pytest.fixture
def run(app):
    """Run `flask …` over this test's collaborators."""
    return lambda *arguments: app.test_cli_runner().invoke(args=list(arguments))


def test_campaigns_lists_every_sequence(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    shown = run("campaigns")
    assert shown.exit_code == 0
    for words in ("lead_nurture", "christmas-precall-prep-handler", "/webhook/christmas/noshow", "5m, 1d, 2d"):
        assert words in shown.output


@pytest.mark.parametrize(
    "arguments", [("campaigns",), ("campaigns", "verify", "--no-simulate"), ("templates", "audit"), ("doctor",)]
)
def test_on_a_narrow_terminal_nothing_is_cut_that_has_to_be_copied(run, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "60")
    assert "┃" in (shown := run(*arguments).output) and "…" not in shown


def test_campaigns_as_json_is_only_json(run):
    rows = json.loads(run("campaigns", "--json").stdout)
    assert [row["steps"] for row in rows] == [5, 5, 3, 3, 3, 3]
    assert rows[0]["handler"] == "christmas-signup-handler"
    assert rows[0]["legacy_id"] == "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0"


def test_populate_says_what_it_did_to_each_key(run, deps):
    deps.notebook.write("christmas_email_1", "Mine", "<p>mine</p>")
    lines = run("templates", "populate").output.splitlines()
    assert len(lines) == 22
    assert any(line.startswith("created") and "lead_nurture_email_1" in line for line in lines)
    assert any(line.startswith("kept") and "christmas_email_1" in line for line in lines)


def test_populate_without_notion_is_an_error_in_words(run, deps):
    deps.notebook.fault = Unavailable("notion", "503 service_unavailable")
    failed = run("templates", "populate")
    assert failed.exit_code == 1
    assert "Notion cannot be asked: notion: 503 service_unavailable" in failed.output


def test_an_earlier_text_serves_again_by_a_command(run, deps):
    key = "christmas_email_1"
    for subject in ("Mine", "Another"):
        deps.notebook.write(key, subject, "<p>Hi {{ first_name }}</p>")
        check_templates(deps)
        deps.now.forward(seconds=200)
        check_templates(deps)
    shown = run("templates", "serve-again", key).output
    mine, another = (next(line for line in shown.splitlines() if word in line) for word in ("Mine", "Another"))
    assert "can be chosen" in mine and "leads get it" in another
    done = run("templates", "serve-again", key, mine.strip("│ ")[:8])
    assert done.exit_code == 0 and "“Mine”" in done.output and "until its page in Notion changes again" in done.output
    again = run("templates", "serve-again", key, mine.strip("│ ")[:8])
    assert again.exit_code == 1 and "serves already" in again.output
    assert "0 versions" in run("templates", "serve-again", key, "zzz").output
    assert "did you mean" in run("templates", "serve-again", "christmas_email_11").output


def test_trace_of_a_stranger_is_exit_1(run):
    told = run("trace", "nobody@resend.dev")
    assert told.exit_code == 1
    assert "Nobody with the address nobody@resend.dev" in told.output
    as_json = run("trace", "nobody@resend.dev", "--json")
    story = json.loads(as_json.stdout)
    assert as_json.exit_code == 1
    assert (story["contact"], story["hooks"], story["enrolments"]) == (None, [], [])


def test_trace_of_a_stranger_shows_the_refused_call_that_names_them(run, deps):
    payload = {"email": "cleo@resend.dev", "meeting_time": "soon"}
    errors = {"meeting_time": ["Not a valid datetime."]}
    hook_id = refuse(deps, campaign="christmas", hook="booking", payload=payload, errors=errors)
    told = run("trace", "cleo@resend.dev").output
    words = " ".join(told.split())
    assert f"{hook_id} booking from website, refused: meeting_time: Not a valid datetime." in words
    assert "flask hooks replay" in words


def test_trace_into_a_file_has_no_blanks_at_the_ends_of_lines_and_cuts_no_word(run, deps, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        session.get(Email, email_ids(receipt)[0]).reason = "refused: " + "x" * 60
    told = run("trace", "ana@resend.dev").output
    assert all(line == line.rstrip() for line in told.splitlines()) and "…" not in told
    assert told.count("x") >= 60


def test_trace_tells_the_story(run, deps, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    write_templates(deps)
    receipt = opt_in(deps)
    deliver(deps, email_ids(receipt)[:1])
    assess(deps)
    opt_in(deps)
    told = run("trace", "ana@resend.dev")
    assert told.exit_code == 0
    for words in (
        "by the website, accepted",
        "by the website, duplicate: “Nurture for new opt-ins” was already started for this contact",
        "Nurture for new opt-ins ended early, testing mode lead_nurture",
        "24 Nov 07:00:00 Nurture for new opt-ins started with 5 emails",
        "24 Nov 07:00:00 Day 1: your holiday playbook handed to Resend",
        "1 Day 1: your holiday playbook",
        "cancelled",
        "the sequence ended: took the assessment on 24 November.",
    ):
        assert words in " ".join(told.output.split())


def test_trace_tells_what_people_did_and_the_address_before_a_correction(run, deps, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    correct_address(deps, opt_in(deps, "ana@resned.dev").contact_id, "ana@resend.dev", "Olga")
    told = " ".join(run("trace", "ana@resend.dev").output.split())
    assert "before a correction ana@resned.dev" in told
    assert "07:00:00 by hand Olga: the address is corrected: 5 emails that wait go there; it was ana@resned.dev" in told


def test_trace_as_json_keeps_the_contract(run, deps):
    opt_in(deps)
    (enrolment,) = json.loads(run("trace", "ana@resend.dev", "--json").stdout)["enrolments"]
    assert {"campaign", "sequence", "state", "sentence", "emails"} <= set(enrolment)
    assert {"step", "template", "due_at", "state", "reason", "resend_id", "events"} <= set(enrolment["emails"][0])
    assert set(enrolment["emails"][0]["events"][0]) == {"at", "kind", "detail"}


def test_db_upgrades_an_empty_ledger_checks_it_and_brings_it_down(tmp_path):
    deps = make_deps(open_engine(f"sqlite:///{tmp_path}/new.db"))
    runner = application(deps).test_cli_runner()

    def run(*arguments):
        done = runner.invoke(args=["db", *arguments])
        return done.exit_code, done.output.strip().splitlines()[-1]

    head = schema.head()
    assert run("check") == (1, f"The ledger is at nothing, not at {head}: run flask db upgrade.")
    assert run("upgrade") == (0, f"The ledger is at {head} (it was at nothing).")
    assert run("upgrade") == (0, f"The ledger is at {head} (it was at {head}).")
    assert run("check") == (0, f"The ledger is at {head}, and its tables are those of the models.")
    with deps.engine.begin() as connection:
        connection.execute(text("ALTER TABLE contacts ADD COLUMN by_hand TEXT"))
    code, words = run("check")
    assert code == 1 and "differ from the models" in words
    with deps.engine.begin() as connection:
        connection.execute(text("ALTER TABLE contacts DROP COLUMN by_hand"))
    code, words = run("downgrade", "nope")
    assert code == 1 and words.startswith("Error: There is no migration nope; there are base, 0001_create_ledger, ")
    assert run("downgrade", "base") == (0, "The ledger is at nothing.")
    deps.engine.dispose()


def test_db_revision_drafts_a_migration_under_its_name(run, monkeypatch):
    made = []
    monkeypatch.setattr(schema, "make_revision", lambda engine, name, revision: made.append((name, revision)))
    assert "Drafted migrations/versions/0002_add_it.py" in run("db", "revision", "0002_add_it").output
    assert made == [("0002 add it", "0002_add_it")]


def test_variables_lists_the_whole_catalogue(app):
    told = json.loads(app.test_cli_runner().invoke(args=["variables", "--json"]).stdout)
    assert [row["name"] for row in told] == list(CATALOGUE) and told[0]["default"] == "there"
    assert "portal_url" in app.test_cli_runner().invoke(args=["variables"]).stdout


class TestSimulate:
    """What a lead would get, on a terminal."""

    def test_the_calendar_is_shown_with_its_times_and_texts(self, run, deps):
        write_templates(deps)
        check_templates(deps)
        done = run("simulate", "precall_prep", "--at", "2026-12-03 14:00", "--texts")
        assert done.exit_code == 0, done.output
        assert "Sat 5 Dec 2026 14:00" in done.output and "Hi Ana" in done.output
        assert "3 of 3 emails would go. Times are of America/Toronto." in done.output

    def test_as_json_it_is_only_json(self, run, deps):
        told = json.loads(run("simulate", "onboarding_phase1", "--json").stdout)
        assert [row["what"] for row in told["calendar"] if row["what"]] == ["onboarding"]
        assert len(told["warnings"]) == 3 and "would be held" in told["warnings"][0]

    def test_what_cannot_be_played_is_one_sentence(self, run):
        done = run("simulate", "five_day", "--then", "party")
        assert done.exit_code == 1 and done.output.startswith("Error: 'party' is not an event and its time")
