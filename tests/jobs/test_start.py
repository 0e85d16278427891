"""The container's own programs: migrating with patience, and asking whether the parts are alive."""

import gc
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from structlog.testing import capture_logs

from funnel_app.flows.monitoring.probes.ledger_identity import why_not_empty
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from jobs import health, heartbeat, migrate, start
from sandbox.redis_server import RedisServer
from tests.factories import make_settings


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of this test's own: its temporary folder, and a port on which nothing listens."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("PORT", "1")
    return monkeypatch


def test_a_ledger_that_stays_away_is_told_after_a_while(tmp_path):
    assert migrate.migrate(f"sqlite:///{tmp_path}/no/folder/funnel.db", within_s=0) is False


def test_a_folder_of_somebody_else_is_told_at_once_with_owner_uid_and_the_chown(tmp_path, machine):
    machine.setattr("os.access", lambda place, mode: place != tmp_path)
    with capture_logs() as logs:
        assert migrate.migrate(f"sqlite:///{tmp_path}/funnel.db") is False
    owner, us = tmp_path.stat().st_uid, os.geteuid()
    assert f"{tmp_path} belongs to uid {owner}, and Funnel runs as uid {us}: chown -R {us}:" in logs[0]["hint"]


def test_a_mistake_in_a_campaign_s_file_is_told_once_and_nothing_begins(tmp_path, monkeypatch):
    (tmp_path / "own.toml").write_text("name = ")
    settings = make_settings(role="all", campaigns_dir=str(tmp_path))
    monkeypatch.setattr(start, "load_settings", lambda: settings)
    monkeypatch.setattr("subprocess.Popen", lambda command: pytest.fail(f"{command} would tell it too"))
    with pytest.raises(SystemExit, match=r"own\.toml: Invalid value"):
        start.main()


def test_garbage_is_looked_for_again_once_all_is_imported(monkeypatch):
    looked_for = []

    def imported(name):
        looked_for.append(gc.isenabled())
        return lambda: looked_for.append(gc.isenabled())

    monkeypatch.setattr(start, "load_settings", lambda: make_settings(role="all"))
    monkeypatch.setattr(start, "UNUSED", ())
    monkeypatch.setattr("jobs.importing.resolve_name", imported)
    monkeypatch.setattr("subprocess.Popen", lambda command: None)
    with pytest.raises(SystemExit):
        start.main()
    assert looked_for == [False, True]


def test_an_empty_ledger_where_one_was_is_refused(tmp_path):
    with RedisServer() as redis:
        status = ProcessStatus(redis.url)
        assert why_not_empty(status, None) is None
        status.remember_ledger("01a2-b3")
        with capture_logs() as logs:
            url = f"sqlite:///{tmp_path}/funnel.db"
            assert migrate.migrate(url, was_known=lambda: why_not_empty(status, None)) is False
        assert "Redis remembers the ledger 01a2-b3" in logs[0]["hint"] and "docs/restore.md" in logs[0]["hint"]
        engine = open_engine(url)
        schema.upgrade(engine)
        engine.dispose()
        assert migrate.migrate(url, was_known=lambda: why_not_empty(status, None)), "made empty on purpose"
        status.close()


def test_a_backup_knows_that_there_was_a_ledger_too(tmp_path):
    (tmp_path / "funnel-20261124T080000Z.db.gz").touch()
    away = ProcessStatus("redis://127.0.0.1:1/0")
    assert "is a backup of one" in why_not_empty(away, str(tmp_path))
    assert why_not_empty(away, None) is None


class Healthy(BaseHTTPRequestHandler):
    """A web process that answers its health check."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        return


@pytest.mark.parametrize("port", ["{}", '"{}"', " {} "])
def test_the_health_check_goes_past_proxies_and_reads_settings_as_all_do(machine, port):
    machine.setenv("ROLE", "'web'")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        machine.setenv(name, "http://127.0.0.1:1")
    with HTTPServer(("127.0.0.1", 0), Healthy) as web:
        machine.setenv("PORT", port.format(web.server_port))
        thread = Thread(target=web.handle_request, daemon=True)
        thread.start()
        assert health.main(0) == 0
        thread.join()


def test_a_part_is_alive_while_its_loop_goes_round(machine, tmp_path):
    machine.setenv("ROLE", "scheduler")
    assert health.main(0) == 1
    heartbeat.record_heartbeat("scheduler")
    assert health.main(0) == 0
    machine.setattr("jobs.heartbeat.STALE_AFTER_S", -1)
    assert health.main(0) == 1


def test_a_worker_counts_only_when_a_child_has_come_to_its_work(machine):
    machine.setenv("ROLE", "worker")
    heartbeat.record_heartbeat("worker")
    assert health.main(0) == 1
    heartbeat.record_heartbeat("worker-child")
    assert health.main(0) == 0
    heartbeat.reset("worker-child")
    assert health.main(0) == 1


def test_a_folder_that_cannot_be_written_stops_nobody(machine):
    machine.setattr("tempfile.tempdir", "/nowhere/at/all")
    heartbeat.record_heartbeat("worker")
    assert not heartbeat.beats("worker")


def test_what_is_still_coming_up_is_waited_for(machine):
    machine.setenv("ROLE", "scheduler")
    machine.setattr("time.sleep", lambda seconds: heartbeat.record_heartbeat("scheduler"))
    assert health.main(5) == 0


def test_a_web_that_does_not_answer_is_dead(machine, capsys):
    machine.setenv("ROLE", "web")
    assert health.main(0) == 1
    assert capsys.readouterr().err == "web does not answer\n"


def test_a_container_that_migrates_has_no_parts_to_ask(machine):
    machine.setenv("ROLE", "migrate")
    assert health.main(0) == 0
