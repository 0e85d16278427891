"""The nightly backup: one at a time, beside the scheduler, and told when it fails."""

import pytest
from structlog.testing import capture_logs

from jobs import backup as made
from jobs import nightly
from jobs.nightly import NightlyBackup
from tests.factories import make_deps


@pytest.fixture
def due(sqlite, tmp_path):
    return make_deps(sqlite, backup_dir=str(tmp_path / "backups"))


def finish(backup, deps):
    """Wait for the process, and let the scheduler look after it."""
    backup._process.wait()
    with capture_logs() as logs:
        backup.step(deps)
    return [line["event"] for line in logs]


def test_a_backup_that_is_due_runs_once_at_a_time(due, monkeypatch):
    monkeypatch.setattr(nightly, "COMMAND", ("-c", "import time; time.sleep(60)"))
    backup = NightlyBackup()
    backup.step(due)
    first = backup._process
    backup.step(due)
    assert backup._process is first and first.poll() is None
    backup.stop()
    assert first.returncode == -15
    backup.stop()


def test_one_that_is_made_is_told(due, monkeypatch):
    monkeypatch.setattr(nightly, "COMMAND", ("-c", ""))
    backup = NightlyBackup()
    backup.step(due)
    assert finish(backup, due) == ["backup_made"]


def test_one_that_fails_is_told_and_tried_again_an_hour_later(due, monkeypatch):
    monkeypatch.setattr(nightly, "COMMAND", ("-c", "raise SystemExit(1)"))
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    backup = NightlyBackup()
    backup.step(due)
    assert finish(backup, due) == ["backup_failed", "incident_began"]
    backup.step(due)
    assert backup._process is None
    now[0] += 3600
    backup.step(due)
    assert finish(backup, due) == ["backup_failed"]


def test_where_no_folder_is_set_nothing_is_started(deps):
    backup = NightlyBackup()
    backup.step(deps)
    assert backup._process is None


def test_it_is_counted_in_a_line_of_the_log_and_the_old_ones_go(due, monkeypatch):
    monkeypatch.setattr("jobs.backup.start", lambda: due.settings)
    monkeypatch.setattr("jobs.process.deps", lambda: due)
    assert made.main() == 0
    due.now.forward(days=20)
    with capture_logs() as logs:
        assert made.main() == 0
    (line,) = logs
    assert (line["event"], line["removed"], line["rows"]["emails"]) == ("backup_counted", 1, 0)


def test_one_that_cannot_be_made_is_told_in_a_line_of_the_log(sqlite, tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    deps = make_deps(sqlite, backup_dir=str(tmp_path / "a file"))
    monkeypatch.setattr("jobs.backup.start", lambda: deps.settings)
    monkeypatch.setattr("jobs.process.deps", lambda: deps)
    with capture_logs() as logs:
        assert made.main() == nightly.TOLD
    assert [line["event"] for line in logs] == ["incident_began", "backup_not_made"] and logs[1]["error"]
