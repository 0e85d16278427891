"""The steady clock follows the machine's through small steps, counts on through a jump, and believes the world."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from funnel_app.steady_clock import Shared, SteadyClock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0
TEN_MINUTES = timedelta(minutes=10)


class Machine:
    """A machine whose clock can be set, and that has run for so long."""

    def __init__(self) -> None:
        self.shown, self.counted = NOON, 500.0

    def run(self, seconds: float) -> None:
        self.shown += seconds
        self.counted += seconds

    def clock(self, shared: Shared | None = None) -> SteadyClock:
        return SteadyClock(lambda: self.shown, lambda: self.counted, lambda: shared)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def shared(tmp_path) -> Shared:
    return Shared(tmp_path / "clock", "this-boot")


def test_it_tells_the_machines_time_and_follows_small_steps(machine):
    clock = machine.clock()
    for step in (0.9, -0.9, 0.9, 0.9):
        machine.run(10)
        machine.shown += step * HOUR
        assert clock.time() == machine.shown and not clock.jump()
    assert clock.now() == clock.shown() and clock.now().tzinfo is UTC


@pytest.mark.parametrize("hours", [3, -2])
def test_it_counts_on_through_a_jump_and_follows_again_when_that_is_undone(machine, hours):
    clock = machine.clock()
    assert clock.time() == NOON
    machine.shown += hours * HOUR
    machine.run(30)
    assert clock.time() == NOON + 30
    assert clock.jump().total_seconds() == hours * HOUR
    machine.shown -= hours * HOUR
    assert clock.time() == NOON + 30 and not clock.jump()


def test_hours_that_were_counted_are_no_jump(machine):
    clock = machine.clock()
    clock.time()
    machine.run(12 * HOUR)
    assert clock.time() == NOON + 12 * HOUR and not clock.jump()


def test_it_goes_by_whom_it_trusts(machine):
    clock = machine.clock()
    clock.time()
    machine.shown += 3 * HOUR
    assert clock.learn(datetime.fromtimestamp(NOON + 3 * HOUR, UTC))
    assert clock.time() == NOON + 3 * HOUR and not clock.jump(), "the jump had set the clock right"


def test_a_process_that_starts_under_a_wrong_clock_goes_by_what_the_others_share(machine, shared):
    machine.clock(shared).time()
    machine.run(60)
    machine.shown += 3 * HOUR
    late = machine.clock(shared)
    assert late.time() == NOON + 60
    assert late.learn(datetime.fromtimestamp(NOON + 3 * HOUR + 60, UTC))
    assert machine.clock(shared).time() == NOON + 3 * HOUR + 60


@pytest.mark.parametrize("off_h", [0, 3, -2])
def test_what_one_process_learns_of_another_clock_the_others_of_its_machine_use(machine, shared, off_h):
    asks, follows = machine.clock(shared), machine.clock(shared)
    assert follows.time() == NOON and not follows.follow(TEN_MINUTES), "nobody has asked"
    assert asks.learn(datetime.fromtimestamp(NOON + off_h * HOUR + 1, UTC)) is bool(off_h)
    machine.run(599)
    assert follows.follow(TEN_MINUTES) and follows.time() == NOON + 599 + bool(off_h) * (off_h * HOUR + 1)
    machine.run(2)
    assert not follows.follow(TEN_MINUTES), "who asked is gone"


def test_who_follows_keeps_its_own_small_steps(machine, shared):
    asks, follows = machine.clock(shared), machine.clock(shared)
    asks.learn(datetime.fromtimestamp(NOON, UTC))
    machine.shown += 20
    assert follows.follow(TEN_MINUTES) and follows.time() == NOON + 20


def test_a_clock_that_jumps_is_not_followed_because_another_process_is_right(machine, shared):
    asks, follows = machine.clock(shared), machine.clock(shared)
    follows.time()
    machine.shown += 3 * HOUR
    assert not asks.learn(datetime.fromtimestamp(NOON, UTC))
    assert follows.follow(TEN_MINUTES) and follows.time() == NOON and follows.jump()


@pytest.mark.parametrize(
    "content", ["another-boot 5.0", "this-boot soon", "this-boot", "", "one two three", "this-boot 1 2 3"]
)
def test_what_is_shared_from_before_a_restart_or_damaged_is_written_again(machine, tmp_path, content):
    file = tmp_path / "clock"
    file.write_text(content)
    assert machine.clock(Shared(file, "this-boot")).time() == NOON
    assert file.read_text() == f"this-boot {NOON - 500.0!r} -inf"


def test_a_file_that_somebody_else_laid_there_is_not_believed(machine, tmp_path, monkeypatch):
    file = tmp_path / "clock"
    file.write_text(f"this-boot {NOON - 9 * HOUR}")
    if os.getuid() == 0:
        os.chown(file, 54321, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert machine.clock(Shared(file, "this-boot")).now().timestamp() == NOON


def test_a_link_that_somebody_laid_there_is_not_followed(machine, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"this-boot {NOON - 9 * HOUR}")
    (tmp_path / "clock").symlink_to(elsewhere)
    assert machine.clock(Shared(tmp_path / "clock", "this-boot")).now().timestamp() == NOON
    assert elsewhere.read_text() == f"this-boot {NOON - 9 * HOUR}"


def test_without_a_folder_to_share_in_it_goes_by_itself(machine, tmp_path):
    assert machine.clock(Shared(tmp_path / "gone" / "clock", "this-boot")).time() == NOON
