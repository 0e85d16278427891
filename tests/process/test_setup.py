"""`flask setup`: from nothing to a green doctor and a canary that arrived, against the stand-ins."""

import os
import stat
import subprocess
import sys

import pytest

from funnel_app.environment import read_file
from funnel_app.gateways.errors import GatewayError
from funnel_app.gateways.litestream import Replica
from sandbox.notion.state import WORKSPACE_PAGE_ID
from sandbox.processes import ROOT, Processes, answers, inheriting
from sandbox.redis_server import RedisServer, free_port
from tests.pace import patient
from tests.process.watching import wait_until

pytestmark = pytest.mark.process(lasts_s=15)
NOTION_PAGE = f"https://www.notion.so/biz/Funnel-{WORKSPACE_PAGE_ID.replace('-', '')}?source=copy"
STARTS = "Is it up, and reached at"


@pytest.fixture
def nothing(tmp_path):
    """A machine with a Redis, where Resend and Notion are played, and no setting was ever made."""
    sandbox_port, web_port = free_port(), free_port()
    with RedisServer() as redis:
        env = inheriting(
            {
                "RESEND_API_URL": f"http://127.0.0.1:{sandbox_port}/resend",
                "NOTION_API_URL": f"http://127.0.0.1:{sandbox_port}/notion",
                "DATABASE_URL": f"sqlite:///{tmp_path}/funnel.db",
                "REPLICA_URL": f"file://{tmp_path}/replicas",
                "PORT": str(web_port),
                "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{web_port}",
                "REDIS_FOR_ANSWER": redis.url,
                "COLUMNS": "200",
            }
        )
        processes = Processes(tmp_path, env)
        try:
            options = ("--port", str(sandbox_port), "--domain", "mail.businessx.example")
            processes.start("sandbox", "-m", "sandbox", *options)
            processes.wait_for("sandbox", f"http://127.0.0.1:{sandbox_port}/")
            yield processes
        finally:
            processes.stop()


def test_from_nothing_to_a_canary_that_arrived(nothing):
    file, url = nothing.folder / ".env", f"http://127.0.0.1:{nothing.env['PORT']}"
    given = [
        "here", url, "BusinessX", "1 Market Street, Toronto", "", "", "", "re_mine",
        "BusinessX <hello@mail.businessx.example>", "", "", "ntn_mine", NOTION_PAGE, "", "", "",
        nothing.env["REDIS_FOR_ANSWER"],
    ]  # fmt: skip
    os.mkfifo(nothing.folder / "answers")
    # Open at both ends, so that nobody waits for the other.
    answers_to = os.open(nothing.folder / "answers", os.O_RDWR)
    os.write(answers_to, "".join(f"{each}\n" for each in [*given, "", ""]).encode())
    nothing.start("setup", "-m", "tests.process.answered", str(nothing.folder / "answers"), "--to", str(file))
    asked = nothing.running["setup"]
    wait_until("all is answered", lambda: STARTS in nothing.log("setup").read_text() or asked.poll() is not None)
    told = nothing.log("setup").read_text()
    assert asked.poll() is None, told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    container = Processes(nothing.folder, {**nothing.env, **read_file(file)})
    container.start("funnel", "-m", "jobs.start")
    try:
        wait_until("Funnel is ready", lambda: answers(f"{url}/readyz"))
        # The doctor gives it five seconds: by then it must have made its first copy.
        wait_until("its replica has the newest change", lambda: has_the_newest(replica_of(nothing)))
        os.write(answers_to, b"\n")
        os.close(answers_to)
        assert asked.wait(patient(150)) == 0, nothing.log("setup").read_text()
    finally:
        container.stop()
    told = nothing.log("setup").read_text()
    assert "made below that page: Email Templates, Contacts, Email Sequence" in told
    assert "fault" not in told.split("Everything is looked at:")[1].replace("default", "")
    assert "the newest change" in told, "the replica is one more part of the container"
    assert "all 22 can be sent" in told and " 0 to fix." in told and "Funnel works: the test email arrived." in told


def replica_of(processes):
    return Replica(processes.env["REPLICA_URL"], processes.folder / "funnel.db")


def has_the_newest(replica):
    try:
        replica.check()
    except GatewayError:
        return False
    return True


def test_a_command_beside_a_file_that_nobody_can_read_says_so_in_one_sentence(tmp_path):
    """Flask's own reading of .env would end in a traceback before any line of Funnel's."""
    for name in ("funnel_app", "jobs", "migrations"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "wsgi.py").write_text((ROOT / "wsgi.py").read_text())
    (tmp_path / ".env").write_text("COMPANY_NAME=Café", "cp1252")
    env = {name: value for name, value in os.environ.items() if name != "FLASK_SKIP_DOTENV"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"]
    ran = subprocess.run(
        command, check=False, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=patient(60)
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        1,
        "",
        f"{tmp_path / '.env'} is not in UTF-8: save it as that.\n",
    )
