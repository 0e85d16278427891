"""A stop that comes at a bad moment: within a wait for it, or between a fork and the handlers of the new process."""

import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread
from types import SimpleNamespace

import pytest

from jobs import parent
from jobs.parent import Parent, Part
from jobs.stop import Stop
from jobs.web import heed_stops
from tests.pace import patient

HEARD = 7


def in_a_child(run) -> int:
    """Return the code with which a child of this process ends that runs this; negative for a signal."""
    within_s = int(patient(10))
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    signal.alarm(within_s)
    try:
        os._exit(run() or 0)
    finally:
        os._exit(70)


def set_at_line(number: int) -> int:
    """Set a Stop at this line of a wait for it, as a handler may; HEARD if the line was reached, and all went on."""
    stop, lines_to_come = Stop(), iter(range(number, -1, -1))
    reached = []

    def trace(frame, event, _):
        if event == "line" and next(lines_to_come, None) == 0:
            reached.append(frame.f_lineno)
            stop.set()
        return trace

    sys.settrace(trace)
    stop.wait(0.01)
    sys.settrace(None)
    return HEARD if reached and stop.wait(0.01) else 0


def test_a_handler_may_set_it_at_every_line_of_the_wait_for_it():
    # An Event's own wait would have two dozen lines, and stand still at most of them.
    codes = [in_a_child(lambda number=number: set_at_line(number)) for number in range(8)]
    reached = codes.index(0)
    assert reached >= 2
    assert codes == [HEARD] * reached + [0] * (len(codes) - reached)


def test_a_wait_that_is_over_before_it_begins_ends_at_once():
    assert not Stop().wait(-0.01)


def test_all_who_wait_go_on():
    stop, seen = Stop(), SimpleQueue()
    waiting = [Thread(target=lambda: seen.put(stop.wait(patient(10)))) for _ in range(3)]
    for each in waiting:
        each.start()
    assert not stop.wait(0.01) and not stop.is_set()
    stop.set()
    stop.set()
    for each in waiting:
        each.join()
    assert [seen.get() for _ in waiting] == [True] * 3 and stop.is_set()


def test_a_stop_that_a_part_is_sent_as_it_is_forked_ends_it(monkeypatch):
    def stopped_before_it_begins(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        become(*args)

    become = parent._become
    monkeypatch.setattr(parent, "_become", stopped_before_it_begins)
    monkeypatch.setattr(parent, "share", bool)

    def run():
        keeper = Parent([Part("part", signal.pause)])
        signal.signal(signal.SIGTERM, lambda *_: keeper.stopping.set())
        keeper._start(keeper.children[0])
        ended = os.waitstatus_to_exitcode(os.waitpid(keeper.children[0].pid, 0)[1])
        os.kill(os.getpid(), signal.SIGTERM)
        return HEARD if ended == -signal.SIGTERM and keeper.stopping.is_set() else 0

    assert in_a_child(run) == HEARD


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_web_process_ends_that_is_asked_to_before_it_listens(number):
    arbiter = SimpleNamespace(SIG_QUEUE=SimpleQueue())

    def asked_before():
        arbiter.SIG_QUEUE.put(signal.SIGCHLD)
        arbiter.SIG_QUEUE.put(number)
        with pytest.raises(SystemExit):
            heed_stops(arbiter)
        return HEARD

    def asked_after():
        arbiter.SIG_QUEUE.put(signal.SIGCHLD)
        signal.signal(number, lambda *_: None)
        heed_stops(arbiter)
        os.kill(os.getpid(), number)

    assert in_a_child(asked_before) == HEARD
    assert in_a_child(asked_after) == -number
