"""A database that answers and does not work: every such error is that of a ledger that is away, told with its cure."""

import shutil

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from funnel_app.ledger.database import schema, storage
from funnel_app.ledger.database.engine import LedgerUnavailable, make_sessions, open_engine
from funnel_app.ledger.database.troubles import explain
from tests.flows.leads import opt_in

PAGE = 4096


def spoil(file, *, page: int) -> None:
    """Overwrite one page of a ledger's file, as a failing disk does."""
    with file.open("r+b") as pages:
        pages.seek(page * PAGE)
        pages.write(b"\xa5" * PAGE)


@pytest.fixture
def ledger_file(deps, tmp_path):
    """The file of a ledger that holds a few hooks, alone and closed."""
    for number in range(3):
        opt_in(deps, f"lead{number}@resend.dev")
    storage.scrub(deps.engine)
    deps.engine.dispose()
    return shutil.copy(storage.file_of(deps.engine), tmp_path / "spoilt.db")


@pytest.mark.parametrize("page", [0, 1, 3])
def test_a_damaged_file_is_a_ledger_that_is_away_with_the_cure(ledger_file, page):
    spoil(ledger_file, page=page)
    engine = open_engine(f"sqlite:///{ledger_file}")
    sessions, _ = make_sessions(engine)
    with pytest.raises(LedgerUnavailable) as found, sessions.begin() as session:
        for table in ("alembic_version", "contacts", "hook_events", "emails"):
            session.execute(text(f"SELECT * FROM {table}")).all()
            session.execute(text(f"DELETE FROM {table}"))
    assert explain(found.value).startswith("the ledger is damaged: stop Funnel and restore")
    assert storage.damage(engine)
    engine.dispose()


def test_a_whole_file_is_whole(deps):
    assert storage.damage(deps.engine) is None


def test_a_read_only_file_is_told_as_that(sqlite):
    with pytest.raises(LedgerUnavailable) as found, sqlite.begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        storage_write(connection)
    sqlite.dispose()
    assert explain(found.value).startswith("the database takes no writes")


def storage_write(connection) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def test_a_server_that_became_read_only_is_told_and_its_connections_are_dropped(postgres):
    engine = open_engine(postgres.url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = on"))
        connection.commit()
        before = connection.connection.driver_connection
    with pytest.raises(LedgerUnavailable) as found, engine.begin() as connection:
        storage_write(connection)
    assert explain(found.value).startswith("the database takes no writes: point DATABASE_URL at the primary")
    with engine.begin() as connection:
        assert connection.connection.driver_connection is not before
        storage_write(connection)
    engine.dispose()


@pytest.mark.both_databases
def test_a_mistake_of_ours_is_none_of_the_database(sessions):
    with pytest.raises(IntegrityError) as found, sessions.begin() as session:
        session.execute(text("INSERT INTO suppressions (id) VALUES (NULL)"))
    assert not isinstance(found.value, LedgerUnavailable)


def test_no_statement_is_prepared_on_a_connection_that_a_pool_may_take_away(postgres):
    with postgres.connect() as connection:
        assert connection.connection.driver_connection.prepare_threshold is None


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_is_not_utf8_is_refused_with_the_cure(postgres, encoding):
    name = f"odd_{encoding.lower()}"
    with postgres.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        made = f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        connection.execute(text(made))
    odd = open_engine(postgres.url.set(database=name).render_as_string(hide_password=False))
    with pytest.raises(schema.UnfitDatabase, match=f"{encoding}.*ENCODING 'UTF8'"):
        schema.upgrade(odd)
    assert schema.current(odd) is None
    odd.dispose()


@pytest.mark.parametrize(
    "words",
    [
        'connection failed: FATAL:  role "funel" does not exist',
        'connection failed: FATAL:  database "funel" does not exist',
        'connection failed: FATAL:  password authentication failed for user "funnel"',
    ],
)
def test_a_server_that_refuses_us_is_told_by_the_setting(words):
    refused = OperationalError("SELECT 1", None, Exception(words))
    assert (
        explain(refused) == f"the server refuses the user, password or database in DATABASE_URL: correct it ({words})"
    )
