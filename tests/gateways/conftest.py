"""A real Redis for the queue and the limits; it is emptied before each test."""

from collections.abc import Iterator

import pytest
from redis import Redis

from funnel_app.gateways.redis.queue import Queues
from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def running_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(running_redis: RedisServer) -> Iterator[RedisServer]:
    running_redis.start()
    running_redis.flush()
    yield running_redis
    running_redis.resume()


@pytest.fixture
def connection(redis_server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def queues(redis_server: RedisServer) -> Iterator[Queues]:
    built = Queues(redis_server.url)
    yield built
    built.close()
