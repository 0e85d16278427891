"""`flask sending` and `flask log`: what is paused from the command line is written down as done there."""

import json

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from funnel_app.commands.cli import own_command
from tests.apps import application
from tests.flows.leads import email_ids, opt_in, write_templates


@pytest.fixture
def run(deps, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "otto")
    app = application(deps)

    def run(*words, given=""):
        name, *arguments = words
        return CliRunner().invoke(own_command(name), arguments, obj=ScriptInfo(create_app=lambda: app), input=given)

    return run


def test_sending_is_paused_and_goes_on(run):
    asked = run("sending", "pause", "--reason", "prices", "--until", "2026-11-30 09:00", given="y\n")
    assert asked.exit_code == 0 and "0 emails are due before that." in asked.stdout
    assert run("sending", "show").stdout == (
        "All sending is paused until Monday 30 November, 09:00, by otto: prices.\n"
    )
    asked = run("sending", "resume", given="n\n")
    assert asked.exit_code == 1 and asked.stdout.startswith("No email waits for it.\nResume it?")
    assert "All sending is paused" in run("sending", "show").stdout
    assert run("sending", "resume", "--yes").stdout == "All sending goes on; what waited goes now.\n"
    assert run("sending", "show").stdout == "Nothing is paused.\n"
    again = run("sending", "resume")
    assert again.exit_code == 1 and "Nobody paused all sending" in again.stderr
    again = run("sending", "resume", "--yes")
    assert again.exit_code == 1 and "Nobody paused all sending" in again.stderr
    assert run("sending", "pause", "--reason", "x", given="n\n").exit_code == 1
    assert run("sending", "show").stdout == "Nothing is paused.\n"


def test_what_people_do_on_the_command_line_is_in_the_log(run, deps):
    write_templates(deps)
    receipt = opt_in(deps)
    for words in (
        ("emails", "cancel", str(email_ids(receipt)[0])),
        ("contacts", "suppress", "ana@resend.dev"),
        ("contacts", "release", "ana@resend.dev"),
        ("enrol", "five_day", "ana@resend.dev"),
        ("contacts", "erase", "ana@resend.dev", "--yes"),
    ):
        run(*words)
    rows = json.loads(run("log", "--json").stdout)
    assert [row["action"] for row in rows] == ["erase", "enrol", "release", "suppress", "cancel"]
    assert {(row["operator"], row["source"], row["whom"]) for row in rows} == {
        ("otto", "command line", "an erased lead")
    }
    assert "ana@" not in str(rows) and "otto, command line" in run("log").stdout.replace("\n", " ").replace("│", "")
