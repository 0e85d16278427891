"""What all tests share: real databases, and collaborators with fake gateways."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
import structlog
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import make_sessions, open_engine
from sandbox.processes import Processes
from sandbox.redis_server import RedisServer
from sandbox.server import Server, serve
from tests import both_databases, ending, forked_workers
from tests.apps import application, take_back
from tests.factories import make_deps
from tests.once import share
from tests.pgbouncer_server import pgbouncer
from tests.pool import in_pool
from tests.postgres_server import PostgresServer, empty
from tests.process.forked import fork
from tests.sqlite_files import migrated, open_copy

pytest_configure = ending.pytest_configure
pytest_generate_tests = both_databases.pytest_generate_tests
pytest_xdist_setupnodes = forked_workers.pytest_xdist_setupnodes
pytest_testnodedown = both_databases.pytest_testnodedown
pytest_sessionfinish = both_databases.pytest_sessionfinish
pytest_terminal_summary = both_databases.pytest_terminal_summary
# A slow machine is no fault of what is tested, and a test that fails does so for everybody who runs it.
hypothesis.settings.register_profile("the same anywhere", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("the same anywhere")
# After so many new objects garbage is looked for; with the usual 700 that takes a twentieth of the tests' time.
GARBAGE = 50_000
# What many callers and workers do at once reaches PostgreSQL through PgBouncer, all else straight.
THROUGH_PGBOUNCER = ("tests/flows/intake/", "tests/flows/sending/", "tests/flows/maintenance/test_sweep.py")

LOGGED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let processes have the time of a slow machine."""
    if item.get_closest_marker("process") and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let some workers begin with real processes."""
    if (worker := getattr(config, "workerinput", None)) is not None:
        items[:] = in_pool(items, worker["workercount"])


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Collect no garbage while nothing is done but to import."""
    both_databases.watch()
    gc.disable()


def pytest_collection_finish() -> None:
    """Whatever stays for the whole run is no garbage to look for, and for what tests leave the rest is seldom read."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(GARBAGE)


# Hooks, not fixtures: what each of some thousands of tests is given costs more than what it does.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Log beside what a command prints, as every process does; a traceback drawn by rich would take seconds."""
    structlog.configure(processors=LOGGED, logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """What a test was lent is the next one's."""
    try:
        yield
    finally:
        take_back()


@pytest.fixture(scope="session", autouse=True)
def workers_share(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What one worker made is for all."""
    share(tmp_path_factory)


@pytest.fixture(scope="session", autouse=True)
def processes_are_forked() -> Iterator[None]:
    """Start Funnel's processes by forks of one that imported their code."""
    usual, Processes.starter = Processes.starter, fork
    yield
    Processes.starter = usual


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[Engine]:
    """A ledger in PostgreSQL at the newest migration, for all tests by turns."""
    engine = open_engine(postgres_server.migrated("ledger"))
    yield engine
    engine.dispose()


@pytest.fixture
def postgres(migrated_postgres: Engine) -> Iterator[Engine]:
    """An empty ledger in PostgreSQL."""
    yield migrated_postgres
    empty(migrated_postgres)


@pytest.fixture(scope="session")
def migrated_pooled_postgres(postgres_server: PostgresServer) -> Iterator[Engine]:
    """A ledger in PostgreSQL that is reached, and migrated too, through PgBouncer alone."""
    with pgbouncer(postgres_server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE pooled")
        engine = open_engine(f"{url.rpartition('/')[0]}/pooled")
        schema.upgrade(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def pooled_postgres(migrated_pooled_postgres: Engine) -> Iterator[Engine]:
    """An empty ledger in PostgreSQL behind PgBouncer."""
    yield migrated_pooled_postgres
    empty(migrated_pooled_postgres)


@pytest.fixture(scope="session")
def migrated_sqlite() -> Path:
    """An empty SQLite ledger at the newest migration, to be copied."""
    return migrated()


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite ledger of this test's own."""
    engine = open_copy(migrated_sqlite, tmp_path / "funnel.db")
    yield engine
    engine.dispose()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty ledger, on each database where the test is marked `both_databases`, else on the first."""
    database = getattr(request, "param", both_databases.DATABASES[0])
    pooled = database == "postgresql" and request.node.nodeid.startswith(THROUGH_PGBOUNCER)
    named = {"sqlite": "sqlite", "postgresql": "pooled_postgres" if pooled else "postgres"}
    found: Engine = request.getfixturevalue(named[database])
    return found


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """The writing sessions of a ledger."""
    return make_sessions(engine)[0]


@pytest.fixture
def deps(engine: Engine) -> Deps:
    """Collaborators over a ledger with fake gateways and a clock that stands."""
    return make_deps(engine)


@pytest.fixture
def app(deps: Deps) -> Flask:
    """The application over these collaborators."""
    return application(deps)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """The stand-ins for Notion and Resend, serving for one file of tests."""
    with serve() as server:
        yield server


@pytest.fixture
def notion(running: Server) -> Server:
    """The same with nothing in them yet."""
    running.sandbox.forget()
    return running


@pytest.fixture(scope="session")
def running_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(running_redis: RedisServer) -> Iterator[RedisServer]:
    """A real Redis that holds nothing yet."""
    running_redis.start()
    running_redis.flush()
    yield running_redis
    running_redis.resume()
