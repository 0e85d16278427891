"""What all tests share: real databases, and collaborators with fake gateways."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import structlog
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.ledger import schema
from funnel_app.ledger.engine import make_sessions, open_engine
from funnel_app.ledger.models import Base
from sandbox.server import Server, serve
from tests import ending
from tests.apps import application, take_back
from tests.factories import make_deps
from tests.pgbouncer_server import pgbouncer
from tests.postgres_server import PostgresServer

pytest_configure = ending.pytest_configure
# `make quick` runs on SQLite alone.
DATABASES = os.environ.get("TEST_DATABASES", "sqlite,postgresql").split(",")


@pytest.fixture(autouse=True)
def logs_on_stderr() -> None:
    """Log beside what a command prints, as every process does."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@pytest.fixture(autouse=True)
def applications_go_round() -> Iterator[None]:
    """What a test was lent is the next one's."""
    yield
    take_back()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine]:
    """A PostgreSQL server with a ledger at the newest migration."""
    server = PostgresServer().start()
    # `make test` runs the flows once more this way.
    with pgbouncer(server) if os.environ.get("THROUGH_PGBOUNCER") else nullcontext(server.url) as url:
        engine = open_engine(url)
        schema.upgrade(engine)
        yield engine
        engine.dispose()
    server.stop()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite ledger at the newest migration, to be copied."""
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite ledger of this test's own."""
    path = tmp_path / "funnel.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty ledger, on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    found = request.getfixturevalue("postgres")
    yield found
    # TRUNCATE makes every file anew, and takes thirty times as long for the few rows of a test.
    emptied = "; ".join(f"DELETE FROM {table}" for table in reversed(Base.metadata.sorted_tables))
    with found.begin() as connection:
        connection.execute(text(emptied))


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """The writing sessions of a ledger, on each database."""
    return make_sessions(engine)[0]


@pytest.fixture
def deps(sqlite: Engine) -> Deps:
    """Collaborators over SQLite with fake gateways and a clock that stands."""
    return make_deps(sqlite)


@pytest.fixture
def both_deps(engine: Engine) -> Deps:
    """The same, on each database."""
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
