"""A real Redis for the queue and the limits."""

from collections.abc import Iterator

import pytest
from redis import Redis

from funnel_app.gateways.redis.queue import Queues
from sandbox.redis_server import RedisServer


@pytest.fixture
def connection(redis_server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def queues(redis_server: RedisServer) -> Iterator[Queues]:
    built = Queues(redis_server.url)
    yield built
    built.close()
