"""The nightly backup: one at a time, beside the scheduler, and told when it fails."""

import pytest
from structlog.testing import capture_logs

from jobs import nightly
from jobs.nightly import NightlyBackup
from tests.factories import make_deps


@pytest.fixture
def due(sqlite, tmp_path):
    return make_deps(sqlite, backup_dir=str(tmp_path / "backups"))


def finish(backup, deps):
    """Wait for the process, and let the scheduler look after it."""
    backup._process.wait(30)
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
    assert finish(backup, due) == ["backup_failed"]
    backup.step(due)
    assert backup._process is None
    now[0] += 3600
    backup.step(due)
    assert finish(backup, due) == ["backup_failed"]


def test_where_no_folder_is_set_nothing_is_started(deps):
    backup = NightlyBackup()
    backup.step(deps)
    assert backup._process is None
