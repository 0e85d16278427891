"""From nothing to a `.env`: each answer is checked by its rule and by those who know, and its owner alone reads it."""

import os
import stat
import subprocess
import sys

import pytest
from click.testing import CliRunner

from funnel_app.commands import setup
from funnel_app.commands.alone import asks_for_setup
from funnel_app.commands.setup import DOCTOR, Place, _fails, _of_the_run, setup_command
from funnel_app.config import examine_settings
from funnel_app.deploy import env_file
from funnel_app.deploy.interview import MADE, notion_id
from funnel_app.environment import plain, plain_values, read_file
from funnel_app.setting_meanings import MEANINGS
from sandbox.processes import ROOT
from sandbox.server import serve
from sandbox.settings_file import settings_file
from sandbox.state import Config

TEMPLATES = "5a2b0d00-0000-4000-8000-000000000001"
ANSWERS = (
    "compose",
    "funnel.example",  # refused: no web address
    "https://funnel.example",
    "",  # refused: it is needed
    "Biz's",
    "1 Street",
    "Europe/Nowhere",  # refused: no such zone
    "Europe/Berlin",
    "",  # testing mode as it is
    "",
    "re_abc",
    "nora@gmail.com",  # nobody's to verify
    "n",
    "Nora <nora@elsewhere.example>",  # not verified, and not taken all the same
    "n",
    "Nora <nora@mail.example.com>",
    "",  # no other address for answers
    "",  # none to which they go on
    "ntn_x",
    "5a2b0d00-0000-4000-8000-00000000ffff",  # neither a database nor a page that is shared
    "n",
    f"https://www.notion.so/biz/{TEMPLATES.replace('-', '')}?v=1",
    "",  # no Calendly
    "",
    "",
)
UNCHANGED = 16


@pytest.fixture
def answered(monkeypatch, tmp_path):
    """Answer the questions, with Resend and Notion played by the stand-ins; what was said, and the file."""
    for name in (*MEANINGS, *MADE):
        monkeypatch.setenv(name, "x")  # so that what is set meanwhile is unset again
        monkeypatch.delenv(name)
    file = tmp_path / ".env"
    with serve(Config(verified_domains=("mail.example.com",))) as server:
        monkeypatch.setenv("RESEND_API_URL", server.resend_url)
        monkeypatch.setenv("NOTION_API_URL", server.notion_url)

        def answer(*answers: str):
            given = "\n".join([*answers, ""])
            return CliRunner().invoke(setup_command, ["--to", str(file), "--only-ask"], input=given), file

        yield answer


def test_answers_become_settings_that_are_good(answered):
    result, file = answered(*ANSWERS)
    assert result.exit_code == 0, result.output
    for told in (
        "✗ must be a web address",
        "✗ Funnel does not start without it.",
        "✗ must be a time zone such as",
        "✗ gmail.com is its provider's: use an address of a domain of your own",
        "✗ elsewhere.example is none of the account's domains",
        "✓ mail.example.com is verified",
        "Share it with the integration",
        "✓ Resend tells https://funnel.example/webhook/resend of every event from now on",
    ):
        assert told in result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    os.environ.update(read_file(file))
    settings, faults = examine_settings(None)
    assert faults == {}
    assert (settings.company_name, settings.from_email) == ("Biz's", "Nora <nora@mail.example.com>")
    assert settings.resend_webhook_secret.startswith("whsec_"), "the webhook was registered, and its secret fetched"
    assert "re_abc" not in result.output.replace("re_abc", "", 1), "what is secret is not shown again"


def test_a_second_run_keeps_what_is_there_and_leaves_what_it_does_not_know(answered):
    _, file = answered(*ANSWERS)
    own = "# the proxy's own\nHTTPS_PROXY=http://proxy.example:3128\n"
    file.write_text(file.read_text() + own)
    before = file.read_text()
    result, file = answered("", *[""] * UNCHANGED)
    assert result.exit_code == 0, result.output
    assert file.read_text() == before
    copy = file.with_name(".env.before")
    assert copy.read_text() == before and stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert plain_values(read_file(file))["RESEND_API_KEY"] not in result.output


def test_a_file_that_is_there_is_not_touched_unasked(answered):
    _, file = answered()
    file.write_text("SECRET_KEY=mine\n")
    result, _ = answered("n")
    assert result.exit_code == 1 and file.read_text() == "SECRET_KEY=mine\n"


def test_what_was_answered_before_a_stop_is_kept_and_examples_are_nobodys(answered):
    _, file = answered()
    file.write_text("SECRET_KEY=change-me-to-32-characters-or-more\nCOMPANY_NAME='Old'\n# a word\n")
    result, _ = answered("y", "compose", "https://funnel.example", "New")
    assert result.exit_code == 1, "the answers ended"
    assert f"Stopped. What was answered so far is in {file}: run it again to go on." in result.output
    found = read_file(file)
    assert (found["COMPANY_NAME"], found["PUBLIC_URL"]) == ("New", "https://funnel.example")
    assert len(found["SECRET_KEY"]) == 48 and "# a word\n" in file.read_text()


def test_a_copy_never_replaces_another(tmp_path):
    file = tmp_path / "production.env"
    for text in ("A=1\n", "A=2\n", "A=2\n", "A=1\n", "A=3\n"):
        file.write_text(text)
        assert env_file.keep_copy(file).read_text() == text
    copies = {copy.name: copy.read_text() for copy in tmp_path.glob("production.env.*")}
    assert copies == {f"production.env.before{end}": f"A={n}\n" for end, n in (("", 1), ("-2", 2), ("-3", 3))}


def test_no_file_of_settings_is_committed_by_mistake():
    secret = [".env", ".env.before", ".env.before-2", ".env.new", "production.env", "production.env.before"]
    asked = ["git", "check-ignore", *secret, ".env.example"]
    assert subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split() == secret


@pytest.mark.parametrize(
    "value",
    [
        'Jones\' "Best" Co',
        '"Best" Jones\' Co',
        '"it\'s" #4',
        "it's #1",
        "a\\b c",
        "pa$s'w\"o`rd",
        "1 Market Street #4",
        "a'b\\nc",
    ],
)
def test_whatever_a_value_holds_is_read_again_as_it_was_by_dotenv_and_by_docker(tmp_path, value):
    file = tmp_path / ".env"
    env_file.write(file, {"COMPANY_NAME": value, "TIMEZONE": "America/Toronto"})
    assert plain_values(read_file(file)) == {"COMPANY_NAME": value, "TIMEZONE": "America/Toronto"}
    as_docker_leaves_it = file.read_text().partition("COMPANY_NAME=")[2].partition("\nTIMEZONE")[0]
    assert plain(as_docker_leaves_it) == value


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (f"https://www.notion.so/biz/Emails-{TEMPLATES.replace('-', '')}?v=00000000000040008000000000000009", None),
        (TEMPLATES, TEMPLATES),
        ("what?", "what?"),
    ],
)
def test_an_address_of_notion_is_read_as_its_id(given, read):
    assert notion_id(given) == (read or TEMPLATES.replace("-", ""))


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("flask --app wsgi setup", True),
        ("flask -A wsgi --debug setup --to x", True),
        ("flask --app=wsgi setup", True),
        ("flask --app wsgi enrol setup ana@client.example", False),
        ("flask --app wsgi", False),
        ("gunicorn wsgi:app", False),
    ],
)
def test_setup_runs_before_there_are_settings_and_nothing_else_does(monkeypatch, line, asks):
    assert asks_for_setup(line.split()) is False, "nobody asks for it who is not flask's command line"
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    assert asks_for_setup(line.split()) is asks


def test_answers_go_on_to_a_mailbox_where_resend_receives_them(answered):
    given = list(ANSWERS)
    at = given.index("Nora <nora@mail.example.com>") + 1
    result, file = answered(*given[:at], "hello@in.example.com", "olga@owner.example", *given[at + 2 :])
    assert result.exit_code == 0, result.output
    assert "set the MX record" in result.output and "REPLY_FORWARD_TO=olga@owner.example" in file.read_text()


@pytest.mark.parametrize(
    ("place", "own", "used"),
    [
        (Place.HERE, "", {"REDIS_URL": "redis://127.0.0.1:7001/0"}),
        (Place.HERE, "redis://127.0.0.1:6379/0", {}),
        (Place.COMPOSE, "", {}),
    ],
)
def test_at_home_the_redis_that_make_run_brought_along_is_used(monkeypatch, tmp_path, place, own, used):
    monkeypatch.chdir(tmp_path)
    assert _of_the_run({"REDIS_URL": own}, place) == {}
    with settings_file(tmp_path / "var" / "run.env", {"REDIS_URL": "redis://127.0.0.1:7001/0", "PORT": "8000"}):
        assert _of_the_run({"REDIS_URL": own}, place) == used


@pytest.mark.parametrize(("command", "looks"), [(DOCTOR, 2), (("resend", "canary"), 1)])
@pytest.mark.parametrize("ready_at", [2, 9])
def test_what_was_just_started_is_looked_at_once_more_and_no_email_is_sent_again(
    monkeypatch, tmp_path, command, looks, ready_at
):
    monkeypatch.setattr(setup, "AGAIN_AFTER_S", 0)
    looked = tmp_path / "looked"
    program = f"file = open({str(looked)!r}, 'a'); file.write('x'); exit(file.tell() < {ready_at})"
    assert _fails("Everything is looked at:", [sys.executable, "-c", program], command, {}) is (looks < ready_at)
    assert looked.read_text() == "x" * looks
