"""Who gets into Redis is found by knocking without a password, not by what its settings promise."""

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from funnel_app.gateways.redis.exposure import Exposure, exposure_of

OPEN, LOCAL, UNKNOWN = Exposure.OPEN, Exposure.LOCAL, Exposure.UNKNOWN


@pytest.fixture
def guarded(connection, redis_server):
    connection.config_set("requirepass", "correct horse")
    with Redis.from_url(redis_server.url.replace("redis://", "redis://:correct%20horse@")) as client:
        yield client
        client.config_set("requirepass", "")


def test_a_redis_that_refuses_a_stranger_is_guarded(guarded):
    assert exposure_of(guarded) is Exposure.GUARDED


def test_a_password_that_redis_does_not_ask_for_guards_nothing(connection, redis_server):
    with Redis.from_url(redis_server.url.replace("redis://", "redis://any:word@")) as client:
        connection.acl_setuser("any", enabled=True, nopass=True, keys="*", commands=["+@all"])
        assert exposure_of(client) is not Exposure.GUARDED
        connection.acl_deluser("any")


SAID = {
    "bound to this machine": ({"bind": "127.0.0.1 -::1", "protected-mode": "no"}, LOCAL),
    "protected": ({"bind": "* -::*", "protected-mode": "yes"}, LOCAL),
    "bound to all": ({"bind": "* -::*", "protected-mode": "no"}, OPEN),
    "bound to a network too": ({"bind": "127.0.0.1 10.0.0.4", "protected-mode": "no"}, OPEN),
    "bound to nothing in particular": ({"bind": "", "protected-mode": "no"}, OPEN),
    "says nothing": (ResponseError("unknown command CONFIG"), UNKNOWN),
}


@pytest.mark.parametrize("case", SAID)
def test_without_a_password_it_counts_whom_it_answers(connection, monkeypatch, case):
    said, exposure = SAID[case]

    def answer(*_):
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(connection, "config_get", answer)
    assert exposure_of(connection) is exposure


def test_the_oldest_redis_that_will_do_says_whom_it_answers(connection):
    assert exposure_of(connection) is LOCAL


def test_one_of_another_machine_is_open_whatever_it_says(connection, monkeypatch):
    monkeypatch.setattr("funnel_app.gateways.redis.exposure._is_loopback", lambda host: False)
    assert exposure_of(connection) is OPEN


def test_one_behind_a_file_of_this_machine_is_local(connection, tmp_path):
    with Redis(unix_socket_path=str(tmp_path / "none.sock")) as client:
        assert exposure_of(client) is LOCAL
