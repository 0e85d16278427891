"""Open the ledger: SQLite by default, PostgreSQL by its address, with the same promises on both."""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, configure_mappers, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from funnel_app.ledger import driver
from funnel_app.ledger.after_commit import watch_commits
from funnel_app.ledger.troubles import READ_ONLY, as_unavailable
from funnel_app.ledger.turns import TurnNotCome, Turns

BUSY_TIMEOUT_MS = 30_000
LONGEST_LOG = 64 * 2**20
# secure_delete: what is blanked must not stay readable in the file; some builds of SQLite have it on, others not.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    # A log that grew behind a long reader gives its room back once it was written over.
    f"journal_size_limit={LONGEST_LOG}",
    # 16 MB: at SQLite's 4, every thirtieth signup by itself would copy the log into the file, and sync twice more.
    "wal_autocheckpoint=4000",
)
# A machine that is gone says no goodbye: without these the locks that it held stay for two hours, on either side.
GONE_AFTER = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2}
UNANSWERED_AFTER = {"tcp_user_timeout": 15_000}
CONNECT_WITHIN_S = 5
HAS_TURN = "funnel_has_turn"
# Whatever a database says that is no mistake of ours in what was to be written. ProgrammingError: PostgreSQL's way of
# saying that a table is not there yet; InternalError: that it takes no writes; PoolTimeout: no connection came free.
LedgerUnavailable = (OperationalError, ProgrammingError, InternalError, InterfaceError, PoolTimeout)


def open_engine(url: str) -> Engine:
    """Return an engine that is not connected yet. Use it after a process forks: connections must not be shared."""
    if url.startswith("sqlite"):
        return _open_sqlite(url)
    return _open_postgres(url)


def prepare() -> None:
    """Work out what every session needs to know of the models: before a fork, so that it is in memory once."""
    configure_mappers()


def make_sessions(engine: Engine) -> tuple[sessionmaker[Session], sessionmaker[Session]]:
    """Return the makers of writing and of reading sessions; what they return stays readable after they close."""
    reader = engine.execution_options(funnel_reads=True)
    writing = sessionmaker(engine, expire_on_commit=False)
    watch_commits(writing)
    return writing, sessionmaker(reader, expire_on_commit=False)


def _with_driver(url: str) -> str:
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _open_postgres(url: str) -> Engine:
    engine = create_engine(
        _with_driver(url),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=10,
        # PgBouncer gives each transaction another connection of the server, which knows nothing prepared on the last.
        connect_args={
            "connect_timeout": CONNECT_WITHIN_S,
            "prepare_threshold": None,
            # Else a database without an encoding answers in bytes, and cannot even be told as what it is.
            "client_encoding": "UTF8",
            **GONE_AFTER,
            **UNANSWERED_AFTER,
        },
    )
    event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "handle_error", _judge)
    return engine


def _prepare_postgres(connection: Any, record: object) -> None:
    with connection.cursor() as cursor:
        for name, value in ({f"tcp_{name}": value for name, value in GONE_AFTER.items()} | UNANSWERED_AFTER).items():
            cursor.execute(f"SET {name} = {value}")
    # Outside a transaction, so that a rollback does not take them back.
    connection.commit()


def _open_sqlite(url: str) -> Engine:
    name = make_url(url).database
    in_file = bool(name) and name != ":memory:"
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        # The connection that was used last has the pages that are wanted, and each keeps some in memory.
        **({"pool_use_lifo": True} if in_file else {}),
    )
    if name and in_file and not name.startswith("file:"):
        event.listen(engine, "do_connect", lambda *_: _keep_to_owner(Path(name)))
    turns = Turns(f"{name}-turn" if in_file else None, BUSY_TIMEOUT_MS / 1000)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", partial(_begin_sqlite, turns))
    event.listen(engine, "checkin", partial(_end_sqlite, turns))
    event.listen(engine, "handle_error", _judge)
    return engine


def _judge(context: ExceptionContext) -> BaseException | None:
    error = context.sqlalchemy_exception
    if not isinstance(error, DBAPIError):
        return None
    # A server that takes no writes any more was the primary: the next connection finds the one that is it now.
    context.is_disconnect = context.is_disconnect or getattr(error.orig, "sqlstate", None) == READ_ONLY
    return as_unavailable(error)


def _keep_to_owner(file: Path) -> None:
    """Make the ledger's file readable by its owner alone, whatever the umask is; somebody else's is left as it is.

    SQLite gives what it writes beside the file the same mode.
    """
    with suppress(OSError):
        # Never opened where it is there: closing it would give up this process's locks on it (POSIX, fcntl).
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with suppress(OSError):
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)


def _prepare_sqlite(connection: Any, record: object) -> None:
    # The driver's own BEGIN comes too late and is deferred: a reader that turns writer is what reports "locked".
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(turns: Turns, connection: Connection) -> None:
    if connection.get_execution_options().get("funnel_reads"):
        driver.ask(connection, "BEGIN")
        return
    mine = connection.connection.record_info
    if mine is not None and not mine.get(HAS_TURN):
        _take(turns)
        mine[HAS_TURN] = True
    driver.ask(connection, "BEGIN IMMEDIATE")


def _take(turns: Turns) -> None:
    try:
        turns.take()
    except (TurnNotCome, OSError) as fault:
        raise OperationalError("BEGIN IMMEDIATE", None, fault) from fault


def _end_sqlite(turns: Turns, connection: object, record: ConnectionPoolEntry) -> None:
    # When a connection comes back its transaction is over, however it ended.
    if record.record_info and record.record_info.pop(HAS_TURN, False):
        turns.give_back()
