"""A part that answers but does not work: hooks, readiness and reasons say so, and work resumes with nothing lost."""

import socket
import threading
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from redis import Redis

from sandbox.processes import Processes
from sandbox.stack import running_stack
from tests.pace import patient
from tests.postgres_server import PostgresServer
from tests.process.one_lead import gets_five_emails, states_of, stop_with_0
from tests.process.starting import ONE_OF_EACH, start_funnel
from tests.process.watching import SIGNUP, nothing_twice, opt_in, wait_until

pytestmark = pytest.mark.process(lasts_s=10)


@pytest.fixture(scope="module")
def postgres():
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def funnel(postgres):
    """One Funnel over PostgreSQL for all that refuses."""
    with running_stack(3600, DATABASE_URL=postgres.url, **ONE_OF_EACH) as stack:
        start_funnel(stack)
        yield stack


def make_read_only(postgres, state):
    with psycopg.connect(postgres.url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {state}")
        connection.execute("SELECT pg_reload_conf()")


def why_not_ready(stack) -> str:
    try:
        urlopen(f"{stack.web_url}/readyz", timeout=patient(30)).close()
    except HTTPError as error:
        return f"{error.code} {error.headers.get('Retry-After', '')}"
    return ""


def delivered(stack, address):
    return lambda: states_of(stack, address)[:1] == ["delivered"]


def test_a_postgresql_that_takes_no_writes_is_a_ledger_that_is_away(funnel, postgres):
    ana = {"email": "delivered+ana@resend.dev", "first_name": "Ana"}
    make_read_only(postgres, "on")
    try:
        wait_until("hooks are refused for now", lambda: funnel.post(SIGNUP, ana)[0] == 503, 30)
        wait_until("Funnel is not ready", lambda: why_not_ready(funnel).startswith("503"), 60)
    finally:
        make_read_only(postgres, "off")
    wait_until("the same call is taken", lambda: funnel.post(SIGNUP, ana)[0] in {200, 202}, 60)
    wait_until("the email is delivered", delivered(funnel, ana["email"]))
    assert nothing_twice(funnel)


def test_a_redis_that_became_a_replica_is_told_and_work_resumes_when_it_is_none(funnel):
    with Redis.from_url(funnel.redis.url) as redis:
        redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            assert opt_in(funnel, "delivered+bea@resend.dev")["status"] == "accepted"
            wait_until("Funnel is not ready", lambda: why_not_ready(funnel).startswith("503"), 60)
            told = funnel.flask("trace", "delivered+bea@resend.dev")
            assert "REDIS_URL" in " ".join(told.split())
        finally:
            redis.execute_command("REPLICAOF", "NO", "ONE")
    wait_until("the email is delivered", delivered(funnel, "delivered+bea@resend.dev"))
    assert nothing_twice(funnel)


@contextmanager
def refusing_proxy():
    """A proxy that lets nothing through; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    caller.recv(65536)
                    caller.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_behind_a_proxy_that_refuses_nothing_is_in_doubt_and_it_goes_once_it_may(funnel):
    cora = "delivered+cora@resend.dev"
    with refusing_proxy() as proxy:
        funnel.processes.kill("worker")
        away = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "RESEND_API_URL": "https://resend.stand-in.example"}
        behind = Processes(funnel.processes.folder, {**funnel.processes.env, **away})
        behind.start("worker")
        try:
            opt_in(funnel, cora)
            wait_until("it is begun", lambda: states_of(funnel, cora)[0] == "sending")
            wait_until("the proxy is named", lambda: "HTTPS_PROXY" in funnel.flask("trace", cora))
        finally:
            behind.stop()
    assert states_of(funnel, cora)[0] == "sending"
    funnel.processes.start("worker")
    wait_until("the email is delivered", delivered(funnel, cora))
    assert nothing_twice(funnel)


def test_on_postgresql_too_a_lead_gets_five_emails_and_the_processes_stop_with_0(funnel):
    """The last of this file: nothing runs after it."""
    # The web plans; from now on days are seconds for it.
    funnel.processes.env = {**funnel.processes.env, "TESTING_INTERVAL_SECONDS": "2"}
    funnel.processes.stop(["web"])
    funnel.processes.start("web")
    funnel.wait_until_ready()
    gets_five_emails(funnel)
    stop_with_0(funnel)
