"""A Redis that answers and refuses: its own words, what to do, and no connection that stays with a demoted node."""

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.redis.refusals import explain
from sandbox.redis_server import RedisServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
def admin(server) -> Iterator[Redis]:
    with Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
def queues(server) -> Iterator[Queues]:
    built = Queues(server.url)
    yield built
    built.close()


def demote(admin: Redis) -> None:
    admin.execute_command("REPLICAOF", "127.0.0.1", "1")


def test_a_redis_that_takes_writes_works(queues):
    assert queues.why_away() is None and queues.ping()


def test_a_demoted_node_is_told_as_that(queues, admin):
    demote(admin)
    told = queues.why_away().words
    assert told.startswith("is a replica and takes no writes: let REDIS_URL name the primary (READONLY")
    assert "script" not in told, "which of our scripts met it is of no use to anybody"
    assert not queues.ping()
    with pytest.raises(Unavailable, match="read only"):
        queues.mark()


def test_the_connection_to_a_demoted_node_is_dropped(queues, admin):
    queues.mark()
    first = queues.connection.client_id()
    assert queues.connection.client_id() == first, "it is kept while all is well"
    demote(admin)
    with pytest.raises(Unavailable):
        queues.mark()
    assert queues.connection.client_id() != first


def test_a_full_redis_is_told_as_that(queues, admin):
    admin.config_set("maxmemory", 1)
    assert queues.why_away().words.startswith("has no memory left and takes no writes: raise its maxmemory")
    admin.config_set("maxmemory", 0)
    assert queues.why_away() is None


def test_what_an_acl_forbids_is_named_and_not_called_away(server, admin):
    admin.acl_setuser("funnel", enabled=True, passwords="+pw", keys="*", commands=["+@all", "-@scripting", "-info"])
    url = server.url.replace("redis://", "redis://funnel:pw@")
    queues, process_status = Queues(url), ProcessStatus(url)
    assert queues.why_away().words.startswith("lets our user not do that: allow it in the ACL")
    assert process_status.facts().keeps is None
    queues.close()
    process_status.close()


def test_a_wrong_password_is_told_as_that(server):
    queues = Queues(server.url.replace("redis://", "redis://nobody:wrong@"))
    assert "password" in queues.why_away().words
    queues.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk", "make room there"),
        ("MOVED 3999 127.0.0.1:6381", "is a cluster"),
        ("ERR unknown command 'evalsha'", "refuses what it is asked: ERR unknown command"),
    ],
)
def test_every_refusal_has_its_words(words, told):
    assert told in str(explain(ResponseError(words))) and words in str(explain(ResponseError(words)))


def test_what_cannot_be_reached_cannot_be_reached():
    queues = Queues("redis://127.0.0.1:1/0")
    assert str(queues.why_away()) == "cannot be reached"
    assert str(explain(RedisError("odd"))) == "cannot be reached (odd)"
    queues.close()
