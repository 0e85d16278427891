"""Whatever Redis does, a worker that is asked to stop does so by itself, before its parent kills it."""

import pytest
from redis import Redis

from sandbox.processes import Processes, development_env
from sandbox.redis_server import RedisServer, free_port
from tests.process.starting import ONE_OF_EACH, migrate
from tests.process.watching import wait_until

pytestmark = pytest.mark.process

TROUBLES = {"works": lambda redis: None, "is gone": RedisServer.kill, "hangs": RedisServer.pause}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_worker_that_is_asked_to_stop_does_so_while_redis(tmp_path, trouble):
    nobody = f"http://127.0.0.1:{free_port()}"
    with RedisServer() as redis:
        env = development_env(
            folder=tmp_path, web_port=free_port(), sandbox_url=nobody, redis_url=redis.url, interval_s=60
        )
        migrate(env["DATABASE_URL"])
        processes = Processes(tmp_path, {**env, **ONE_OF_EACH})
        processes.start("worker")
        try:
            with Redis.from_url(redis.url) as client:
                wait_until(
                    "it listens", lambda: client.smembers("rq:workers") and client.pubsub_channels("rq:pubsub:*")
                )
            TROUBLES[trouble](redis)
            worker = processes.running["worker"]
            worker.terminate()
            assert worker.wait() == 0
        finally:
            processes.stop()
    assert "process_killed" not in processes.log("worker").read_text()
