"""Before there are settings two commands find out what to set, each with what it cannot do without."""

import os
import runpy
import sys

import pytest

from funnel_app.commands.alone import (
    FIRST_STEPS,
    asks_for_help,
    asks_for_setup,
    stand_in,
    with_commands_alone,
    without,
)
from funnel_app.config import ConfigError, load_settings
from sandbox.processes import ROOT

WSGI = str(ROOT / "wsgi.py")
GIVEN = {"NOTION_TOKEN": "ntn_mine", "RESEND_API_KEY": "re_mine", "PUBLIC_URL": "https://funnel.example"}


@pytest.fixture
def have(monkeypatch):
    """Let the environment be that of a `flask` with these settings and no other."""
    monkeypatch.setattr("funnel_app.commands.alone.find_file", lambda: None)
    monkeypatch.setattr("funnel_app.config.find_file", lambda: None)

    def have_only(**values: str) -> None:
        monkeypatch.setattr(os, "environ", {"FLASK_RUN_FROM_CLI": "true", **values})

    return have_only


@pytest.mark.parametrize("command", FIRST_STEPS)
def test_it_needs_nothing_but_what_it_works_with(have, command):
    needed = FIRST_STEPS[command]
    have(**{name: GIVEN[name] for name in needed})
    made = stand_in(["flask", "--app", "wsgi", *command, "--under", "page"])
    settings = without(load_settings(), made)
    assert not needed & made and settings.notion_templates_db_id == ""
    assert [os.environ[name] for name in needed] == [GIVEN[name] for name in needed]


@pytest.mark.parametrize("command", FIRST_STEPS)
def test_what_it_works_with_is_asked_for_and_nothing_else(have, command):
    have()
    stand_in(["flask", *command])
    with pytest.raises(ConfigError) as refused:
        load_settings()
    told = {line.split(":")[0].strip() for line in str(refused.value).splitlines() if line.startswith("  ")}
    assert told == FIRST_STEPS[command]


def test_the_examples_of_a_file_that_was_copied_count_as_missing(have):
    have(**GIVEN, SECRET_KEY="change-me-to-32-characters-or-more", RESEND_WEBHOOK_SECRET="whsec_...")
    assert {"SECRET_KEY", "RESEND_WEBHOOK_SECRET"} <= stand_in(["flask", "resend", "webhooks", "--create"])


@pytest.mark.parametrize("words", [["resend", "canary"], ["doctor"], ["notion", "sync"], []])
def test_every_other_command_wants_them_all(have, words):
    have(**GIVEN)
    assert not stand_in(["flask", "--app", "wsgi", *words]) and not asks_for_setup(["flask", *words])


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ([], True),
        (["--help"], True),
        (["trace", "--help"], True),
        (["--app", "wsgi", "templates", "audit", "--help"], True),
        (["trase", "ana@client.example"], True),
        (["trace", "ana@client.example"], False),
        (["routes"], False),
    ],
)
def test_how_commands_are_called_is_told_before_there_are_settings(have, words, asks):
    have()
    assert asks_for_help(["flask", *words]) is asks
    os.environ.clear()
    assert not asks_for_help(["gunicorn", "--help"]), "the web process is no command"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 0, "trace"),
        (["templates", "--help"], 0, "audit"),
        (["trace", "--help"], 0, "Show everything"),
        (["trase"], 2, "No such command 'trase'"),
    ],
)
def test_the_answer_to_such_a_question_needs_nothing(words, code, said):
    done = with_commands_alone().test_cli_runner().invoke(args=words)
    assert done.exit_code == code and said in done.output


@pytest.mark.parametrize("words", [["doctor"], ["trace", "--help"], ["trase"]])
def test_faults_and_how_commands_are_called_are_told_before_all_else_is_imported(have, monkeypatch, words):
    have(**GIVEN)
    monkeypatch.setattr("sys.argv", ["flask", *words])
    monkeypatch.setattr("jobs.first_step.settings", load_settings)
    monkeypatch.setattr("jobs.first_step.one_heap", lambda: None)
    monkeypatch.setattr("jobs.importing.resolve_name", lambda name: pytest.fail(f"{name} is imported"))
    if asks_for_help(sys.argv):
        assert runpy.run_path(WSGI)["app"].cli.list_commands(None)
    else:
        with pytest.raises(SystemExit, match="SECRET_KEY: is not set"):
            runpy.run_path(WSGI)


def test_a_database_that_is_set_stays_set(have):
    have(**GIVEN, NOTION_TEMPLATES_DB_ID="5a2b0d00000040008000000000000001")
    made = stand_in(["flask", "notion", "init"])
    assert without(load_settings(), made).notion_templates_db_id == "5a2b0d00000040008000000000000001"
