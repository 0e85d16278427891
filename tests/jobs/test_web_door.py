"""The door of the web process: whole requests alone are handed on, and nobody stays for longer than his time."""

import os
import socket
import time
from types import SimpleNamespace

import pytest

from jobs import web_callers, web_door
from jobs.web_answer import Answer
from jobs.web_balancing import Shares
from jobs.web_connection import Stage
from jobs.web_door import Door

HEAD = b"POST /webhook HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
ASKED, ANSWERED = "asked about the head", "answered"


class House:
    """A door on a free port, and an application that answers at once: every head is right, every body is answered."""

    def __init__(self, idle_s=60.0, most=100, share=None, listener=None):
        self.listener = listener or socket.create_server(("127.0.0.1", 0))
        self.address, self.callers = self.listener.getsockname(), []
        self.pipe = os.pipe()
        for end in self.pipe:
            os.set_blocking(end, False)
        self.done = []
        self.wants_body, self.answer = True, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        self.door = Door(self.hand_off, self.pipe, idle_s, share or Shares().of(1))
        self.door.open(self.listener, most)

    def hand_off(self, connection, head_only):
        self.done.append(ASKED if head_only else ANSWERED)
        if head_only and self.wants_body:
            self.door.answered(connection, Answer(wants_body=True))
            return
        connection.outgoing = self.answer
        self.door.answered(connection, Answer(self.answer, stays=not head_only))

    def call(self, data=b""):
        caller = socket.create_connection(self.address)
        self.callers.append(caller)
        caller.sendall(data)
        caller.setblocking(False)
        self.turn_until(lambda: len(self.door.callers))
        return caller

    def turn_until(self, there):
        for _ in range(100):
            if there():
                return
            self.door.turn()
        raise AssertionError("it never came")

    def hears(self, caller):
        """Return what a caller hears until the door hangs up."""
        heard = []

        def over():
            try:
                heard.append(caller.recv(65536))
            except BlockingIOError:
                return False
            return heard[-1] == b""

        self.turn_until(over)
        return b"".join(heard)

    def close(self):
        self.door.close()
        for caller in (self.listener, *self.callers):
            caller.close()
        for end in self.pipe:
            os.close(end)


@pytest.fixture
def house():
    house = House()
    yield house
    house.close()


@pytest.fixture
def time_is_up(monkeypatch):
    """A function after which so much time has passed as a caller has for a head, or for a body."""
    passed = [0.0]
    monkeypatch.setattr(web_door, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + sum(passed)))
    return lambda: passed.append(web_door.REQUEST_WITHIN_S)


@pytest.mark.parametrize(
    ("begun", "stage"), [(b"POST / HT", Stage.HEAD), (HEAD + b"x", Stage.BODY)], ids=["head", "body"]
)
def test_whoever_takes_too_long_for_head_or_body_is_told_so(house, time_is_up, begun, stage):
    caller = house.call(begun)
    house.turn_until(lambda: house.door.callers.at(stage))
    time_is_up()
    heard = house.hears(caller)
    assert heard.startswith(b"HTTP/1.1 408 ") and b"within 10 seconds" in heard and ANSWERED not in house.done


def test_whoever_says_nothing_is_sent_away_without_a_word(house, time_is_up):
    caller = house.call()
    time_is_up()
    assert house.hears(caller) == b""


def test_a_body_that_follows_its_head_is_not_asked_for(house):
    caller = house.call(HEAD[:20])
    caller.sendall(HEAD[20:] + b"abc")
    house.turn_until(lambda: house.done)
    assert house.done == [ANSWERED]


def test_a_body_that_does_not_follow_is_waited_for_when_the_head_has_no_answer(house):
    caller = house.call(HEAD)
    house.turn_until(lambda: house.done)
    caller.sendall(b"abc")
    house.turn_until(lambda: len(house.done) == 2)
    assert house.done == [ASKED, ANSWERED]


def test_a_head_that_has_an_answer_needs_no_body(house):
    house.wants_body = False
    assert house.hears(house.call(HEAD)) == house.answer
    assert house.done == [ASKED]


def test_whoever_waits_to_be_asked_is_asked_at_once(house):
    caller = house.call(HEAD[:-2] + b"Expect: 100-continue\r\n\r\n")
    house.turn_until(lambda: house.done == [ASKED])
    house.door.turn()
    assert caller.recv(100).startswith(b"HTTP/1.1 100 ")


def test_requests_in_one_piece_are_answered_one_after_the_other(house):
    left = iter([HEAD + b"abc", b""])
    house.hand_off = None
    house.door._hand_off = lambda connection, head_only: (
        house.door.answered(connection, Answer(stays=True, left=next(left)))
        or house.done.append(bytes(connection.incoming.data))
    )
    house.call(HEAD + b"abc")
    house.turn_until(lambda: len(house.done) == 2)
    assert house.done == [HEAD + b"abc"] * 2


def test_an_answer_that_is_not_taken_holds_nobody_else_up(house, monkeypatch):
    monkeypatch.setattr(web_door, "TAKEN_WITHIN_S", 0.5)
    house.answer = b"x" * 10_000_000
    house.call(HEAD + b"abc")
    house.turn_until(lambda: house.done)
    house.answer = b"HTTP/1.1 200 OK\r\n\r\n"
    quick = house.call(HEAD + b"abc")
    house.turn_until(lambda: len(house.done) == 2)
    house.door.turn()
    assert quick.recv(100) == house.answer
    house.turn_until(lambda: len(house.door.callers) == 1)


def test_a_head_without_end_is_refused(house):
    assert house.hears(house.call(b"GET /" + b"x" * 70_000)).startswith(b"HTTP/1.1 431 ")


def test_where_it_is_full_whoever_waits_longest_makes_room(monkeypatch):
    house = House(most=2)
    first, _ = house.call(), house.call(b"POST")
    house.turn_until(lambda: len(house.door.callers) == 2)
    house.call(HEAD + b"abc")
    house.turn_until(lambda: house.done)
    assert house.hears(first) == b"" and len(house.door.callers) == 2
    house.close()


def test_where_all_together_hold_too_much_the_longest_waiting_go(house, monkeypatch):
    monkeypatch.setattr(web_callers, "HELD_AT_MOST", 5)
    assert house.hears(house.call(b"POST / HTTP/1.1\r\n")) == b""


def test_a_door_that_shuts_takes_nobody_and_lets_idle_callers_go(house, monkeypatch):
    monkeypatch.setattr(web_door, "LEAVES_WITHIN_S", 0.0)
    idle = house.call(HEAD + b"abc")
    house.turn_until(lambda: house.done)
    house.door.turn()
    house.door.shut()
    assert house.hears(idle).startswith(b"HTTP/1.1 200")
    with pytest.raises(ConnectionError):
        house.call()
