"""Periodic tasks: each flow is called when it is due, failures are logged and tried again; nothing ends the thread."""

from threading import Event

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from funnel_app import periodic
from funnel_app.gateways.errors import Unavailable
from funnel_app.periodic import PeriodicRunner, PeriodicTask
from funnel_app.web.watchdog import look_out
from tests.factories import make_deps


@pytest.fixture
def time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(periodic.time, "monotonic", lambda: now[0])
    return now


def test_a_flow_is_called_when_it_is_due(deps, time):
    called = []
    going = PeriodicRunner(lambda: deps, [PeriodicTask(60, called.append)], Event())
    for at in (0, 30, 59, 60, 119, 120):
        time[0] = at
        going.go()
    assert called == [deps] * 3


def test_a_flow_that_could_not_do_it_is_soon_called_again(deps, time):
    answers = iter([False, False, True, True])
    called = []
    going = PeriodicRunner(lambda: deps, [PeriodicTask(60, lambda _: called.append(time[0]) or next(answers))], Event())
    for at in range(80):
        time[0] = float(at)
        going.go()
    assert called == [0, 5, 10, 70]


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        (OperationalError("SELECT", {}, Exception("disk is full")), "periodic_task_skipped"),
        (Unavailable("resend", "503"), "periodic_task_failed"),
        (KeyError("nobody expected it"), "periodic_task_crashed"),
    ],
)
def test_whatever_fails_is_said_and_the_others_go_on(sqlite, time, monkeypatch, fault, event):
    reported = []
    monkeypatch.setattr(periodic, "report", reported.append)
    deps = make_deps(sqlite, alert_webhook_url="https://hooks.slack.com/x")

    def broken(_):
        raise fault

    called = []
    going = PeriodicRunner(lambda: deps, [PeriodicTask(60, broken), PeriodicTask(60, called.append)], Event())
    with capture_logs() as logs:
        going.go()
    assert [entry["event"] for entry in logs] == [event] and called == [deps]
    assert reported == ([fault] if event == "periodic_task_crashed" else []), "what nobody foresaw"


def test_a_ledger_that_stays_away_is_told_though_other_flows_do_well(sqlite, time):
    deps = make_deps(sqlite, alert_webhook_url="https://hooks.slack.com/x")
    is_away = True

    def with_ledger(_):
        if is_away:
            raise OperationalError("SELECT", {}, Exception("disk is full"))

    def without_ledger(_):
        return None

    going = PeriodicRunner(lambda: deps, [PeriodicTask(10, with_ledger), PeriodicTask(5, without_ledger)], Event())
    for at in range(0, 60, 5):
        time[0] = float(at)
        going.go()
        deps.now.forward(seconds=5)
    is_away = False
    time[0] = 60.0
    going.go()
    assert [text.splitlines()[1][0] for _, text in deps.alerts.posted] == ["🔴", "🟢"]


def test_only_the_leader_runs_its_tasks(deps):
    called, stopping = [], Event()
    going = PeriodicRunner(lambda: deps, [PeriodicTask(0, lambda _: called.append(1) or stopping.set())], stopping)
    going.is_leader = False

    class Counts(Event):
        """Ends after three looks, and lets the process come on duty at the second."""

        looks = 0

        def wait(self, timeout=None):
            self.looks += 1
            going.is_leader = self.looks == 2
            return self.looks > 3

    going._stopping = Counts()
    going.run()
    assert called == [1]


def test_the_watchdog_is_a_thread_beside_the_requests(deps):
    going = look_out(deps)
    assert going.is_alive() and going.daemon
    going._stopping.set()
    going.join(5)
    assert not going.is_alive()
