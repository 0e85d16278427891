"""A Redis that takes connections and never answers: the console's pages come, say so, and have asked it once."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from threading import Thread

import pytest

from funnel_app.app import create_app
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.redis.rate_limiter import SendingPause
from tests.web.console import Operator


class Hanging:
    """A server that accepts whatever comes, says nothing, and counts."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}/0"
        self.callers: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self.callers.append(self.socket.accept()[0])


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    server = Hanging()
    yield server
    # Whoever waits in accept() hears of it only this way.
    server.socket.shutdown(socket.SHUT_RDWR)
    server.socket.close()
    for caller in server.callers:
        caller.close()


@pytest.fixture
def deps(deps, hanging):
    queues = Queues(hanging.url)
    found = replace(
        deps,
        settings=replace(deps.settings, redis_url=hanging.url),
        queues=queues,
        pause=SendingPause(queues.connection),
        process_status=ProcessStatus(hanging.url),
    )
    yield found
    queues.close()


@pytest.fixture
def olga(deps) -> Operator:
    operator = Operator(create_app(deps).test_client())
    operator.log_in()
    return operator


def test_the_first_page_comes_and_says_so(olga, hanging):
    hanging.callers.clear()
    answer = olga.get("/console/")
    assert answer.status_code == 200 and "Redis cannot be reached" in answer.text
    assert len(hanging.callers) == 1, "each further question would cost its reader a third of a second"


def test_the_queues_page_says_so(olga):
    answer = olga.get("/console/rq/")
    assert answer.status_code == 503 and "Redis cannot be reached" in answer.text
    assert "No email is lost" in answer.text


def test_a_trace_asks_once(deps, hanging):
    assert trace(deps, "nobody@client.example")["contact"] is None
    assert len(hanging.callers) == 1
