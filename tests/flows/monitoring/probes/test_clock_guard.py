"""Clock guard: a clock that jumps by over an hour stops sending; another clock that agrees lets it go on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.flows.monitoring.probes.clock_guard import (
    ClockGuard,
    compare_with_world,
    end_doubt,
    follow_or_ask,
    go_on_when_right,
)
from funnel_app.gateways.errors import Unavailable
from funnel_app.steady_clock import Shared, SteadyClock
from tests.factories import jumping_clock, make_deps
from tests.flows.leads import opt_in
from tests.flows.monitoring.live import LIVE, shift_world


@pytest.fixture
def live(deps):
    return make_deps(deps.engine, **LIVE)


@pytest.mark.parametrize("hours", [2, -2])
def test_a_jump_stops_sending_at_once(live, hours):
    guard, jump = ClockGuard(), jumping_clock(live)
    assert guard.steady(live)
    live.now.forward(hours=2)
    assert guard.steady(live), "two hours that were counted are no jump"
    jump(hours=hours)
    assert not guard.steady(live)
    assert live.pause.current().kind == "clock" and f"jumped by {hours:+.1f} hours" in live.pause.current().reason


def test_it_stays_stopped_while_the_clock_is_wrong_whatever_redis_forgets(live):
    guard, jump = ClockGuard(), jumping_clock(live)
    assert guard.steady(live)
    jump(hours=3)
    assert not guard.steady(live) and not go_on_when_right(live)
    live.pause.lift()
    assert not guard.steady(live) and live.pause.current().kind == "clock"
    jump(hours=0)
    assert guard.steady(live) and go_on_when_right(live) and live.pause.current() is None


def test_a_clock_that_is_set_right_is_believed_once_another_agrees(live):
    """A machine that started with a wrong clock: what jumps is the correction."""
    guard, jump = ClockGuard(), jumping_clock(live)
    assert guard.steady(live)
    jump(hours=5)
    shift_world(live, hours=5)
    right = live.now() + timedelta(hours=5)
    assert not guard.steady(live) and live.clock.now() == live.now()
    assert not end_doubt(live) and end_doubt(live)
    assert live.clock.now() == right and guard.steady(live) and go_on_when_right(live)


def test_a_process_that_starts_under_a_wrong_clock_goes_by_the_world(live):
    shift_world(live, hours=-3)
    compare_with_world(live)
    assert live.clock.now() == live.now() - timedelta(hours=3) and "+3.0 hours off" in live.pause.current().reason


def test_one_process_of_a_machine_asks_for_the_time_and_the_others_go_by_that(live, tmp_path):
    def process():
        return replace(live, clock=SteadyClock(lambda: live.now().timestamp(), lambda: 1.0, lambda: shared))

    shared = Shared(tmp_path / "clock", "this-boot")
    scheduler, worker, web = process(), process(), process()
    assert worker.clock.now() == web.clock.now() == live.now()
    shift_world(scheduler, hours=3)
    follow_or_ask(scheduler)
    for each in (scheduler, worker, web):
        shift_world(each, fault=Unavailable("x", "gone"))
        follow_or_ask(each)
        assert each.clock.now() == live.now() + timedelta(hours=3)


def test_a_start_before_what_the_ledger_holds_is_a_jump(live):
    opt_in(live)
    assert ClockGuard().steady(live)
    live.now.forward(hours=-3)
    assert not ClockGuard().steady(live)


def test_a_clock_that_another_contradicts_stops_sending(live):
    compare_with_world(live)
    assert live.pause.current() is None
    shift_world(live, hours=3)
    compare_with_world(live)
    assert "-3.0 hours off" in live.pause.current().reason
    assert not go_on_when_right(live)
    shift_world(live, minutes=1)
    assert go_on_when_right(live) and live.pause.current() is None


def test_without_another_clock_nothing_changes(live):
    shift_world(live, fault=Unavailable("x", "gone"))
    compare_with_world(live)
    live.pause.pause("it jumped", 60, "clock")
    assert not go_on_when_right(live) and live.pause.current() is not None


def test_other_pauses_are_not_lifted(live):
    live.pause.pause("401", 60, "config")
    assert not go_on_when_right(live) and live.pause.current() is not None
