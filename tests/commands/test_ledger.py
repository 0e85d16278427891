"""`flask ledger`: what a person sees of backups and of bringing one back."""

import json

import pytest

from funnel_app.ledger.database.engine import open_engine
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import opt_in


@pytest.fixture
def run(deps):
    app = application(deps)
    return lambda *arguments: app.test_cli_runner().invoke(args=["ledger", *arguments])


@pytest.fixture
def elsewhere(tmp_path):
    """The same commands over another, empty ledger."""
    engine = open_engine(f"sqlite:///{tmp_path}/restored.db")
    deps = make_deps(engine)
    yield lambda *arguments: application(deps).test_cli_runner().invoke(args=["ledger", *arguments])
    engine.dispose()


def test_a_backup_says_where_it_is_and_what_is_in_it(run, deps, tmp_path):
    opt_in(deps)
    done = run("backup", "--to", str(tmp_path / "copies"))
    assert done.exit_code == 0
    assert "funnel-20261124T120000Z.db.gz" in done.output and "opened and counted" in done.output
    assert "1 contact, 1 enrolment, 5 emails." in done.output


def test_without_a_folder_it_asks_for_one(run):
    done = run("backup")
    assert done.exit_code == 2 and "Name a folder with --to, or set BACKUP_DIR." in done.output


def test_backup_dir_is_the_folder_and_old_copies_go(sqlite, tmp_path):
    deps = make_deps(sqlite, backup_dir=str(tmp_path))
    old = tmp_path / "funnel-20260101T000000Z.db.gz"
    old.touch()
    runner = application(deps).test_cli_runner()
    told = json.loads(runner.invoke(args=["ledger", "backup", "--prune", "--json"]).stdout)
    assert told["removed"] == 1 and not old.exists() and told["rows"]["contacts"] == 0
    deps.now.forward(days=20)
    assert "1 older than 14 days removed." in runner.invoke(args=["ledger", "backup", "--prune"]).output


def test_a_backup_that_fails_is_told(run, tmp_path):
    (tmp_path / "file").touch()
    done = run("backup", "--to", str(tmp_path / "file"))
    assert done.exit_code == 1 and "No backup was made in" in done.output


def test_a_restore_says_what_waits_for_a_person(run, deps, elsewhere, tmp_path):
    opt_in(deps)
    file = json.loads(run("backup", "--to", str(tmp_path), "--json").stdout)["file"]
    done = elsewhere("restore", file)
    assert done.exit_code == 0 and "Restored 1 contact and 5 emails." in done.output
    assert "Due since then, and perhaps gone out: 1 email, ambiguous now." in done.output
    again = elsewhere("restore", file)
    assert again.exit_code == 1 and "A backup goes into an empty one" in again.output


def test_a_restore_as_json_is_only_json(run, elsewhere, tmp_path):
    file = json.loads(run("backup", "--to", str(tmp_path), "--json").stdout)["file"]
    told = json.loads(elsewhere("restore", file, "--json").stdout)
    assert told["held"] == 0 and told["rows"]["contacts"] == 0


def test_a_restore_of_nothing_waiting_says_no_more(run, elsewhere, tmp_path):
    file = json.loads(run("backup", "--to", str(tmp_path), "--json").stdout)["file"]
    assert elsewhere("restore", file).output == "Restored 0 contacts and 0 emails.\n"
