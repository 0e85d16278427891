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

from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from sandbox.processes import ROOT, NotStarted, Processes, development_env
from sandbox.stack import running_stack
from tests.pace import patient
from tests.postgres_server import PostgresServer
from tests.process.starting import write_texts
from tests.process.watching import delivered, emails, log_of, nothing_twice, opt_in, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]
ANA, BEA, CLEO = (f"delivered+{name}@resend.dev" for name in ("ana", "bea", "cleo"))


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    """All parts under one process, over an empty ledger that it migrates and backs up by itself; a test may end it."""
    folder = tmp_path_factory.mktemp("container")
    with running_stack(3600, TMPDIR=str(folder), BACKUP_DIR=str(folder / "backups")) as stack:
        # Before anything looks for a text: one that was missing is looked for again only a minute later.
        write_texts(stack)
        stack.processes.start("container", "-m", "jobs.start")
        stack.wait_until_ready()
        yield stack


def parts(stack):
    """Return the pid of each part."""
    parent = stack.processes.running["container"].pid
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    commands = {int(pid): command_of(pid) for pid in pids}
    words = {"web": "gunicorn", "worker": "funnel worker", "scheduler": "funnel scheduler"}
    return {part: pid for part, word in words.items() for pid, command in commands.items() if word in command}


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return "it has ended meanwhile"


def healthy(processes):
    try:
        processes.run("-m", "jobs.health", "0")
    except NotStarted:
        return False
    return True


def test_parts_that_are_killed_are_started_again_and_work_goes_on(container):
    assert healthy(container.processes)
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
    # What Resend tells of it could still come in, and would be more than that it was sent.
    container.control({"resend.latency_s": 3.0, "webhooks.enabled": False})
    begun, said = calls_begun(container), told_to_stop(container)
    opt_in(container, BEA)
    wait_until("the email is in flight", lambda: calls_begun(container) > begun)
    process = container.processes.running.pop("container")
    with sqlite3.connect(container.ledger, isolation_level=None) as writer, ThreadPoolExecutor(1) as caller:
        writer.execute("BEGIN IMMEDIATE")
        others = requests_read(container.web_url)
        answer = caller.submit(opt_in, container, CLEO)
        wait_until("the hook is in flight", lambda: requests_read(container.web_url) - others, 5)
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        wait_until("the web was told", lambda: told_to_stop(container) > said, 5)
        writer.execute("ROLLBACK")
        assert answer.result(timeout=patient(10))["status"] == "accepted"
    assert process.wait(timeout=patient(12)) == 0
    assert time.monotonic() - asked < patient(10)
    states = {row["address"]: row["state"] for row in emails(container) if row["step"] == 1}
    assert (states[BEA], states[CLEO]) == ("sent", "planned")
    assert_json_lines(log_of(container, "container"))


def told_to_stop(stack):
    return log_of(stack, "container").count("Handling signal: term")


def assert_json_lines(text):
    """A container's whole life is told in JSON lines, from gunicorn's master and the parent too."""
    told = [json.loads(line) for line in text.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in told)
    assert any(line["event"].startswith("Starting gunicorn") for line in told), "the master's first word"


def calls_begun(stack):
    with sqlite3.connect(stack.ledger) as ledger:
        return ledger.execute("SELECT count(*) FROM requests WHERE first_tried_at IS NOT NULL").fetchone()[0]


def requests_read(url):
    """Return the callers whose connection the web has taken, and of whom it has read all that came so far."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    return {f[2] for f in lines if f[1].endswith(port) and f[3] == established and f[4].endswith(":00000000")}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_ledger(request, tmp_path):
    """The address of a ledger without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/funnel.db"
        return
    server = PostgresServer().start()
    yield server.url
    server.stop()


def alone(folder, **more):
    """The processes of a Funnel for which there is nobody else."""
    nobody = "127.0.0.1:1"
    env = development_env(
        folder=folder, web_port=1, sandbox_url=f"http://{nobody}", redis_url=f"redis://{nobody}/0", interval_s=60
    )
    return Processes(folder, {**env, "TMPDIR": str(folder), **more})


def test_containers_that_start_at_once_migrate_once(empty_ledger, tmp_path):
    containers = alone(tmp_path, DATABASE_URL=empty_ledger, ROLE="migrate")
    for name in "abc":
        containers.start(name, "-m", "jobs.start")
    ended = [run.wait(patient(30)) for run in containers.running.values()]
    assert ended == [0, 0, 0], [containers.log(name).read_text() for name in "abc"]
    engine = open_engine(empty_ledger)
    schema.check(engine)
    engine.dispose()


def test_parts_of_their_own_are_healthy_while_they_wait(tmp_path):
    container = alone(tmp_path, ROLE="scheduler")
    assert not healthy(container)
    container.start("container", "-m", "jobs.start")
    try:
        wait_until("it waits for the ledger", lambda: "waiting_for_ledger" in container.log("container").read_text())
        assert healthy(container)
        process = container.running["container"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(patient(10)) == 0
    finally:
        container.stop()


BREAKS = """
import sys
from jobs import parent
parent.STARTS = 2
parent.report = lambda fault: print("told of", type(fault))
sys.exit(parent.Parent([parent.Part("web", lambda: 1 / 0)]).run())
"""


def test_a_part_that_does_not_stay_up_ends_the_container_with_1_and_is_reported_once():
    command = [sys.executable, "-c", BREAKS]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=patient(30))
    assert done.returncode == 1
    assert done.stdout.count("process_exited") == 2 and done.stdout.count("told of <class 'ZeroDivisionError'>") == 1
    assert "process_broke" in done.stdout and "process_failed" in done.stdout
