"""A port that is given once is nobody else's before its server listens."""

import socket
import sys

import pytest

from sandbox.redis_server import RedisServer, free_port


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port can be had again as soon as it is told")
def test_a_port_is_given_once_and_whoever_asks_for_any_gets_another():
    mine = [free_port() for _ in range(50)]
    for _ in range(2000):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            assert other.getsockname()[1] not in mine
    assert len(set(mine)) == 50


def test_its_server_may_listen_there_again_and_again():
    with RedisServer() as server:
        for _ in range(3):
            server.restart()
            server.flush()
