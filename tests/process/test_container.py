"""What the image runs, `python -m jobs.start`: all parts, restarted when they die, drained within ten seconds."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from funnel_app.ledger import schema
from funnel_app.ledger.engine import open_engine
from sandbox.processes import ROOT, development_env
from sandbox.stack import running_stack
from tests.pace import patient
from tests.postgres_server import PostgresServer
from tests.process.watching import delivered, emails, log_of, nothing_twice, opt_in, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]
ANA, BEA = "delivered+ana@resend.dev", "delivered+bea@resend.dev"


@pytest.fixture
def container(tmp_path):
    """All parts under one process, over an empty ledger that it migrates and backs up by itself."""
    with running_stack(3600, TMPDIR=str(tmp_path), BACKUP_DIR=str(tmp_path / "backups")) as stack:
        # Before anything looks for a text: one that was missing is looked for again only a minute later.
        stack.flask("templates", "populate")
        stack.processes.start("container", "-m", "jobs.start")
        stack.wait_until_ready()
        yield stack


def parts(stack):
    """Return the pid of each part."""
    parent = stack.processes.running["container"].pid
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in pids}
    words = {"web": "gunicorn", "worker": "funnel worker", "scheduler": "funnel scheduler"}
    return {part: pid for part, word in words.items() for pid, command in commands.items() if word in command}


def healthy(stack):
    check = [sys.executable, "-m", "jobs.health", "0"]
    return subprocess.run(check, cwd=ROOT, env=stack.processes.env, capture_output=True, check=False).returncode == 0


def test_parts_that_are_killed_are_started_again_and_work_goes_on(container):
    assert healthy(container)
    before = parts(container)
    assert set(before) == {"web", "worker", "scheduler"}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_until("all are started again", lambda: len(set(parts(container).values()) - set(before.values())) == 3)
    container.wait_until_ready()
    opt_in(container, ANA)
    wait_until("the email is delivered", delivered(container, 1))
    assert log_of(container, "container").count("process_exited") >= 3 and nothing_twice(container)


def test_a_stop_lets_the_request_and_the_email_in_flight_end_and_gives_0_within_ten_seconds(container):
    container.control({"resend.latency_s": 3.0})
    opt_in(container, ANA)
    wait_until("the email is in flight", lambda: calls_begun(container) == 1)
    process = container.processes.running.pop("container")
    with sqlite3.connect(container.ledger, isolation_level=None) as writer, ThreadPoolExecutor(1) as caller:
        writer.execute("BEGIN IMMEDIATE")
        answer = caller.submit(opt_in, container, BEA)
        wait_until("the hook is in flight", lambda: reads_a_request(container.web_url), 5)
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        wait_until("the web was told", lambda: "Handling signal: term" in log_of(container, "container"), 5)
        writer.execute("ROLLBACK")
        assert answer.result(timeout=patient(10))["status"] == "accepted"
    assert process.wait(timeout=patient(12)) == 0
    assert time.monotonic() - asked < patient(10)
    states = {row["address"]: row["state"] for row in emails(container) if row["step"] == 1}
    assert states == {ANA: "sent", BEA: "planned"}
    assert_json_lines(log_of(container, "container"))


def assert_json_lines(text):
    """A container's whole life is told in JSON lines, from gunicorn's master and the parent too."""
    told = [json.loads(line) for line in text.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in told)
    assert any(line["event"].startswith("Starting gunicorn") for line in told), "the master's first word"


def calls_begun(stack):
    with sqlite3.connect(stack.ledger) as ledger:
        return ledger.execute("SELECT count(*) FROM requests WHERE first_tried_at IS NOT NULL").fetchone()[0]


def reads_a_request(url):
    """Say whether the web has taken a connection, and has read all that came over it."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    return any(f[1].endswith(port) and f[3] == established and f[4].endswith(":00000000") for f in lines)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_ledger(request, tmp_path):
    """The address of a ledger without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/funnel.db"
        return
    server = PostgresServer().start()
    yield server.url
    server.stop()


def test_containers_that_start_at_once_migrate_once(empty_ledger, tmp_path):
    env = development_env(
        folder=tmp_path, web_port=1, sandbox_url="http://127.0.0.1:1", redis_url="redis://127.0.0.1:1/0", interval_s=60
    )
    env |= {"DATABASE_URL": empty_ledger, "ROLE": "migrate"}
    command = [sys.executable, "-m", "jobs.start"]
    runs = [subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=patient(30))[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    engine = open_engine(empty_ledger)
    schema.check(engine)
    engine.dispose()


def test_parts_of_their_own_are_healthy_while_they_wait(tmp_path):
    with running_stack(3600, TMPDIR=str(tmp_path), ROLE="scheduler") as stack:
        assert not healthy(stack)
        stack.processes.start("container", "-m", "jobs.start")
        wait_until("it waits for the ledger", lambda: "waiting_for_ledger" in log_of(stack, "container"))
        assert healthy(stack)
        process = stack.processes.running.pop("container")
        process.send_signal(signal.SIGTERM)
        assert process.wait(patient(10)) == 0


def test_a_part_that_does_not_stay_up_ends_the_container_with_1():
    program = "import sys; from jobs import parent; parent.STARTS = 1; "
    program += "sys.exit(parent.Parent([parent.Part('web', lambda: 1 / 0)]).run())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=patient(30))
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout and "process_failed" in done.stdout
