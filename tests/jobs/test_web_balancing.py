"""New callers go to the web process that has fewest, and to any at all rather than to none."""

import os
import socket

import pytest

from jobs.web_balancing import Shares
from tests.jobs.test_web_door import House

BUSY, IDLE = 1, 2


@pytest.fixture
def shares():
    return Shares()


@pytest.fixture
def busy(shares):
    """A process that has a caller already."""
    house = House(share=shares.of(BUSY))
    house.call()
    yield house
    house.close()


def test_a_new_caller_is_left_to_a_process_that_has_fewer(busy, shares):
    shares.of(IDLE).note(0)
    idle = House(share=shares.of(IDLE), listener=busy.listener.dup())
    try:
        busy.callers.append(socket.create_connection(busy.address))
        busy.door.turn()
        idle.door.turn()
        assert (len(busy.door.callers), len(idle.door.callers)) == (1, 1)
    finally:
        idle.close()


def test_a_caller_whom_no_other_process_takes_waits_for_a_moment_only(busy, shares):
    shares.of(IDLE).note(0)
    busy.callers.append(socket.create_connection(busy.address))
    busy.turn_until(lambda: len(busy.door.callers) == 2)


def test_a_full_process_sends_nobody_away_for_a_caller_whom_another_took(shares):
    full = House(most=1, share=shares.of(BUSY))
    idle = House(share=shares.of(IDLE), listener=full.listener.dup())
    try:
        full.call()
        idle.door.turn()
        full.callers.append(socket.create_connection(full.address))
        full.door.turn()
        idle.turn_until(lambda: len(idle.door.callers))
        for _ in range(3):
            full.door.turn()
        assert len(full.door.callers) == 1
    finally:
        idle.close()
        full.close()


def test_nobody_gives_way_to_equals_or_to_a_process_that_is_gone(shares):
    mine, other = shares.of(BUSY), shares.of(IDLE)
    other.note(0)
    assert not mine.is_larger()
    mine.note(1)
    assert mine.is_larger() and not other.is_larger()
    other.note(1)
    assert not mine.is_larger()
    other.note(0)
    other.leave()
    assert not mine.is_larger()


def test_processes_see_each_others_numbers(shares):
    mine = shares.of(BUSY)
    mine.note(1)
    child = os.fork()
    if child == 0:
        shares.of(IDLE).note(0)
        os._exit(0)
    os.waitpid(child, 0)
    assert mine.is_larger()
