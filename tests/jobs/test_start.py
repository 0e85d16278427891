"""The container's own programs: migrating with patience, and asking whether the parts are alive."""

import pytest

from jobs import health, heartbeat, migrate


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of this test's own: its temporary folder, and a port on which nothing listens."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("PORT", "1")
    return monkeypatch


def test_a_ledger_that_stays_away_is_told_after_a_while(tmp_path):
    assert migrate.migrate(f"sqlite:///{tmp_path}/no/folder/funnel.db", within_s=0) is False


def test_a_part_is_alive_while_its_loop_goes_round(machine, tmp_path):
    machine.setenv("ROLE", "scheduler")
    assert health.main(0) == 1
    heartbeat.beat("scheduler")
    assert health.main(0) == 0
    machine.setattr("jobs.heartbeat.STALE_AFTER_S", -1)
    assert health.main(0) == 1


def test_a_worker_counts_only_when_a_child_has_come_to_its_work(machine):
    machine.setenv("ROLE", "worker")
    heartbeat.beat("worker")
    assert health.main(0) == 1
    heartbeat.beat("worker-child")
    assert health.main(0) == 0
    heartbeat.reset("worker-child")
    assert health.main(0) == 1


def test_a_folder_that_cannot_be_written_stops_nobody(machine):
    machine.setattr("tempfile.tempdir", "/nowhere/at/all")
    heartbeat.beat("worker")
    assert not heartbeat.beats("worker")


def test_what_is_still_coming_up_is_waited_for(machine):
    machine.setenv("ROLE", "scheduler")
    machine.setattr("time.sleep", lambda seconds: heartbeat.beat("scheduler"))
    assert health.main(5) == 0


def test_a_web_that_does_not_answer_is_dead(machine, capsys):
    machine.setenv("ROLE", "web")
    assert health.main(0) == 1
    assert capsys.readouterr().err == "web does not answer\n"


def test_a_container_that_migrates_has_no_parts_to_ask(machine):
    machine.setenv("ROLE", "migrate")
    assert health.main(0) == 0
