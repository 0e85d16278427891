"""A redeploy under load: two containers on one ledger and one Redis, the new one takes over from the old."""

import itertools
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

import pytest
from sqlalchemy import select

from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.models import Contact, Email
from sandbox.processes import Processes
from sandbox.redis_server import free_port
from sandbox.stack import running_stack
from tests.pace import patient
from tests.process.front import Front
from tests.process.starting import migrate, write_texts
from tests.process.watching import delivered, nothing_twice, opt_in, wait_until

pytestmark = [pytest.mark.process(lasts_s=40), pytest.mark.timeout(600)]
SECONDS_FOR_A_DAY = 3
LEADS_BEFORE, LEADS = 5, 16
EVERY_S = 0.6
AT_MOST_LATE_S = 5.0


class Container:
    """Web, worker and scheduler of one release, on a port of their own."""

    def __init__(self, stack, name, folder):
        self.port = free_port()
        folder.mkdir()
        own = {"PORT": str(self.port), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{self.port}", "TMPDIR": str(folder)}
        self.processes = Processes(stack.processes.folder, {**stack.processes.env, **own})
        self.processes.start(name, "-m", "jobs.start")
        (self.process,) = self.processes.running.values()
        self.processes.run("-m", "jobs.health", str(patient(60)))


@pytest.fixture
def stack():
    with running_stack(SECONDS_FOR_A_DAY, WEB_CONCURRENCY="1", RESEND_RATE_LIMIT="100") as running:
        running.control({"resend.rate_per_second": 100})
        migrate(running.processes.env["DATABASE_URL"])
        write_texts(running)
        yield running


def sign_up_until_answered(stack, address):
    """Call as a website does: again, until it is answered."""
    return wait_until(f"{address} is answered", lambda: answered(stack, address), 30)


def answered(stack, address):
    with suppress(OSError):
        return opt_in(stack, address)["status"]


def come_in(stack, taken, enough):
    for number in itertools.count():
        if enough.is_set():
            return
        address = f"delivered+{number}@resend.dev"
        taken[address] = sign_up_until_answered(stack, address)
        time.sleep(EVERY_S)


def test_a_redeploy_under_load_loses_no_hook_sends_nothing_twice_and_nothing_late(stack, tmp_path):
    taken, enough = {}, Event()
    with Front(int(stack.web_url.rpartition(":")[2])) as front, ThreadPoolExecutor(1) as website:
        old = Container(stack, "old", tmp_path / "old")
        new = None
        try:
            front.backends = [old.port]
            stack.wait_until_ready()
            load = website.submit(come_in, stack, taken, enough)
            wait_until("leads come in", lambda: len(taken) >= LEADS_BEFORE)
            new = Container(stack, "new", tmp_path / "new")
            front.backends = [old.port, new.port]
            old.process.send_signal(signal.SIGTERM)
            assert old.process.wait(patient(12)) == 0
            front.backends = [new.port]
            swapped = len(taken)
            wait_until("leads go on coming in", lambda: len(taken) >= max(LEADS, swapped + 3))
            enough.set()
            load.result(timeout=patient(60))
            wait_until("every email of every lead is delivered", delivered(stack, 5 * len(taken)))
        finally:
            enough.set()
            old.processes.stop()
            if new is not None:
                new.processes.stop()
    assert swapped < len(taken) and set(taken.values()) <= {"accepted", "duplicate"}
    assert contacts(stack) == set(taken)
    assert nothing_twice(stack) and len(stack.received()) == 5 * len(taken)
    worst = worst_lateness_s(stack)
    print(f"{len(taken)} leads, {len(stack.received())} emails, the latest {worst:.1f} s after its time")
    assert worst < patient(AT_MOST_LATE_S)


def contacts(stack):
    with read(stack) as session:
        return set(session.scalars(select(Contact.email)))


def worst_lateness_s(stack):
    with read(stack) as session:
        sent = session.execute(select(Email.sent_at, Email.due_at).where(Email.sent_at.is_not(None)))
        return max((row.sent_at - row.due_at).total_seconds() for row in sent)


@contextmanager
def read(stack):
    engine = open_engine(stack.processes.env["DATABASE_URL"])
    with make_sessions(engine)[1]() as session:
        yield session
    engine.dispose()
