"""What `docker compose up` runs, by processes: compose.yaml's own commands, environment and health checks.

Only places differ: a host of Compose's network is a port of this machine, a volume is a folder.
"""

import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request

import psycopg
import pytest
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError
from sqlalchemy import func, select

from funnel_app.deploy import env_file
from funnel_app.environment import plain
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Email
from sandbox.processes import ROOT, answers, development_settings
from sandbox.redis_server import free_port, redis_executable
from sandbox.stack import call_json
from tests.pace import patient
from tests.postgres_server import PostgresServer, binaries
from tests.process.forked import fork
from tests.process.watching import SIGNUP, wait_until

pytestmark = pytest.mark.process
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PLACES = (Path(sys.executable).parent, Path(redis_executable()).parent, binaries(), os.environ["PATH"])
PROGRAMS = os.pathsep.join(map(str, PLACES))
SECRETS = {"REDIS_PASSWORD": "of-letters-for-redis", "POSTGRES_PASSWORD": "of-letters-for-postgres"}
POSTGRES = f"postgresql://funnel:{SECRETS['POSTGRES_PASSWORD']}@postgres:5432/funnel"


def of_the_image() -> dict[str, str]:
    block = re.search(r"(?m)^ENV ((?:.*\\\n)*.*)$", DOCKERFILE)
    assert block is not None
    variables = shlex.split(block[1].replace("\\\n", " "))
    return dict(variable.split("=", 1) for variable in variables if not variable.startswith("PATH="))


def command_of_the_image() -> list[str]:
    found = re.search(r"(?m)^CMD (.+)$", DOCKERFILE)
    assert found is not None
    return yaml.safe_load(found[1])


@dataclass
class Compose:
    """The services of compose.yaml beside a `.env`, each as one process."""

    folder: Path
    given: dict[str, str]
    ports: dict[str, int] = field(default_factory=lambda: {service: free_port() for service in SERVICES})
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        """Return the image's variables, under the file's, under the service's own."""
        own = SERVICES[service]["environment"]
        under = {**of_the_image(), **self.given} if service == "funnel" else {}
        here = {name: self.placed(self.filled_in(value)) for name, value in {**under, **own}.items()}
        return {**here, "PATH": PROGRAMS, "TMPDIR": str(self.folder)}

    def filled_in(self, word: str) -> str:
        """Put values where compose.yaml asks for them; these Compose reads without their quotes."""
        return re.sub(r"\$\{(\w+)[^}]*\}", lambda asked: plain(self.given[asked[1]]), word)

    def placed(self, value: str) -> str:
        for service, port in self.ports.items():
            value = re.sub(rf"@{service}:\d+/", f"@127.0.0.1:{port}/", value)
        return re.sub(r"(^|///)/data\b", rf"\1{self.folder}", value)

    def start(self, service: str, command: list[str], **places: str) -> None:
        with (self.folder / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(
                command, cwd=ROOT, env={**self.environment(service), **places}, stdout=log, stderr=log
            )

    def healthy(self, service: str, *place: str, **places: str) -> bool:
        """Run the service's health check once; `place` tells its program the port of this machine."""
        _, program, *words = SERVICES[service]["healthcheck"]["test"]
        out, err = self.folder / f"{service}.said", self.folder / f"{service}.told"
        out.unlink(missing_ok=True)
        command = [sys.executable if program == "python" else program, *place, *words]
        done = fork(command, {**self.environment(service), **places}, out, err)
        return done.wait() == 0 and "NOAUTH" not in out.read_text()


@pytest.fixture
def compose(tmp_path):
    """Compose with a `.env` as `flask setup` writes it; whatever was started is gone afterwards."""
    made = development_settings(
        folder=tmp_path, web_port=8000, sandbox_url="http://127.0.0.1:1", redis_url="", interval_s=3600
    )
    asked = {name: made[name] for name in made.keys() - {"PORT", "GUNICORN_CMD_ARGS", "DATABASE_URL", "REDIS_URL"}}
    env_file.write(tmp_path / ".env", asked | SECRETS)
    # `format: raw`: each line as it stands, quotes too.
    lines = [line for line in (tmp_path / ".env").read_text().splitlines() if not line.startswith("#")]
    compose = Compose(tmp_path, dict(line.split("=", 1) for line in lines))
    yield compose
    for process in compose.running.values():
        process.kill()
        process.wait()


def start_redis(compose):
    command = [compose.filled_in(word) for word in SERVICES["redis"]["command"]]
    port = str(compose.ports["redis"])
    compose.start("redis", [*command, "--port", port, "--bind", "127.0.0.1", "--dir", str(compose.folder)])
    wait_until("Redis is healthy", lambda: compose.healthy("redis", "-p", port))
    with Redis(port=compose.ports["redis"]) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()


@contextmanager
def running_postgres(compose):
    """Run a server with what the image of PostgreSQL makes of its variables."""
    own, server = compose.environment("postgres"), PostgresServer().start()
    user, database, password = (own[f"POSTGRES_{name}"] for name in ("USER", "DB", "PASSWORD"))
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'")
            connection.execute(f"CREATE DATABASE {database} OWNER {user}")
        compose.ports["postgres"] = server.port
        assert compose.healthy("postgres", "-h", "127.0.0.1", "-p", str(server.port))
        yield
    finally:
        server.stop()


@pytest.mark.parametrize("ledger", ["sqlite", "postgresql"])
def test_it_comes_up_healthy_takes_a_signup_and_stops_in_time(compose, ledger):
    with ExitStack() as stack:
        if ledger == "postgresql":
            compose.given["DATABASE_URL"] = POSTGRES
            stack.enter_context(running_postgres(compose))
        start_redis(compose)
        port = compose.ports["funnel"]
        here = {"PORT": str(port), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}
        compose.start("funnel", command_of_the_image(), **here)
        wait_until("Funnel is healthy", lambda: compose.healthy("funnel", **here))
        wait_until("Redis takes its password", lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        assert sign_up(compose, port) == (202, "accepted")
        assert planned(compose.environment("funnel")["DATABASE_URL"]) == 5
        funnel = compose.running["funnel"]
        funnel.terminate()
        assert funnel.wait(patient(int(SERVICES["funnel"]["stop_grace_period"].rstrip("s")))) == 0


def sign_up(compose, port):
    headers = {"Authorization": f"Bearer {compose.given['HOOK_SECRET']}", "Content-Type": "application/json"}
    body = b'{"email": "delivered+ana@resend.dev", "first_name": "Ana"}'
    status, answer = call_json(Request(f"http://127.0.0.1:{port}{SIGNUP}", body, headers))
    return status, answer["status"]


def planned(ledger):
    engine = open_engine(ledger)
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(Email)).scalar_one()
    engine.dispose()
    return count
