"""The command line: a ledger or a provider that is away is one sentence with its cure, never a trace of the code."""

import json
import os

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from tests.apps import application
from tests.factories import make_deps
from tests.process.forked import run
from tests.test_config import GOOD

# One of each kind: those that read, those that write, those of a group and those that stand alone.
COMMANDS = (
    ("trace", "ana@resend.dev"),
    ("trace", "ana@resend.dev", "--json"),
    ("ledger", "stats"),
    ("hooks", "list"),
    ("contacts", "suppress", "ana@resend.dev"),
    ("contacts", "export", "ana@resend.dev"),
    ("emails", "retry", "00000000-0000-7000-8000-000000000001"),
    ("enrol", "christmas/lead_nurture", "ana@resend.dev"),
)


def run_over(url, *arguments):
    engine = open_engine(url)
    done = application(make_deps(engine)).test_cli_runner().invoke(args=list(arguments))
    engine.dispose()
    return done


def error_of(arguments, done):
    """Return the one line that says what is wrong; a trace says before it how Funnel is as a whole."""
    *headline, line = done.stderr.splitlines()
    assert [told.startswith("No call is taken") for told in headline] == [True] * (arguments[0] == "trace")
    return line


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
class TestWithoutALedger:
    """Whichever command it is, it says what is wrong with the ledger and what to do."""

    def test_an_empty_one_is_told_with_its_cure(self, tmp_path, arguments):
        done = run_over(f"sqlite:///{tmp_path}/new.db", *arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        line = error_of(arguments, done)
        assert line.startswith("Error: The ledger that DATABASE_URL names is empty (no such table: ")
        assert "run flask --app wsgi db upgrade" in line

    def test_one_that_cannot_be_opened_is_told(self, tmp_path, arguments):
        done = run_over(f"sqlite:///{tmp_path}/no/such/folder/funnel.db", *arguments)
        line = error_of(arguments, done)
        assert done.exit_code == 1 and line.startswith("Error: The ledger cannot be reached (unable to open database")

    def test_a_server_that_is_away_is_told(self, arguments):
        done = run_over("postgresql://nobody:secret@127.0.0.1:1/none", *arguments)
        line = error_of(arguments, done)
        assert done.exit_code == 1 and line.startswith("Error: The ledger cannot be reached (") and "secret" not in line


def test_one_that_is_behind_is_told_with_both_migrations(engine):
    schema.downgrade(engine, "0002_add_calls_to_hooks")
    app = application(make_deps(engine))
    done = app.test_cli_runner().invoke(args=["trace", "ana@resend.dev", "--json"])
    schema.upgrade(engine)
    assert done.exit_code == 1
    assert f"Error: The ledger is at 0002_add_calls_to_hooks, not at {schema.head()} (" in done.stderr


def test_one_at_head_that_fails_is_told_with_its_words(sqlite):
    app = application(make_deps(sqlite))
    with sqlite.begin() as connection:
        connection.execute(text("DROP TABLE suppressions"))
    done = app.test_cli_runner().invoke(args=["trace", "ana@resend.dev"])
    assert done.exit_code == 1
    assert "Error: The ledger cannot be used (no such table: suppressions): flask --app wsgi doctor" in done.stderr


def test_a_mistake_of_ours_keeps_its_trace(deps, monkeypatch):
    def wrong(*_):
        raise ProgrammingError("SELECT", {}, Exception("column that nobody has"))

    monkeypatch.setattr("funnel_app.commands.trace.trace", wrong)
    done = application(deps).test_cli_runner().invoke(args=["trace", "ana@resend.dev"])
    assert isinstance(done.exception, ProgrammingError)


def test_a_provider_that_is_away_is_told(deps, monkeypatch):
    def away(*_):
        raise Unavailable("redis", "Connection refused")

    monkeypatch.setattr("funnel_app.commands.trace.trace", away)
    done = application(deps).test_cli_runner().invoke(args=["trace", "ana@resend.dev"])
    assert (done.exit_code, done.stderr.splitlines()) == (
        1,
        ["Error: redis: Connection refused. flask --app wsgi doctor looks at everything."],
    )


def test_it_is_so_in_a_terminal_too(tmp_path):
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**known, **GOOD, "DATABASE_URL": f"sqlite:///{tmp_path}/new.db"}
    done = run("flask", "--app", "wsgi", "trace", "ana@resend.dev", env=environment, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    told = done.stderr.splitlines()
    assert len(told) == 2 and "The ledger that DATABASE_URL names is empty" in told[1], done.stderr


@pytest.mark.parametrize(("level", "shown"), [("INFO", False), ("debug", True)])
def test_of_the_log_a_terminal_shows_errors_alone(sqlite, notion, tmp_path, level, shown):
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    away = {"REDIS_URL": "redis://127.0.0.1:1/0", "NOTION_API_URL": notion.notion_url, "LOG_LEVEL": level}
    environment = {**known, **GOOD, **away, "DATABASE_URL": f"sqlite:///{sqlite.url.database}"}
    done = run("flask", "--app", "wsgi", "templates", "audit", env=environment, folder=tmp_path)
    assert ("notion_budget_in_memory" in done.stderr) is shown, done.stdout + done.stderr
    assert any(line.startswith("{") for line in done.stderr.splitlines()) is shown


def test_help_and_what_needs_no_ledger_go_without_one(tmp_path):
    url = f"sqlite:///{tmp_path}/new.db"
    assert run_over(url, "trace", "--help").exit_code == 0
    assert json.loads(run_over(url, "campaigns", "--json").stdout)
    assert run_over(url, "db", "upgrade").exit_code == 0
