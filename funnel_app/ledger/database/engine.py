"""Engine: open the ledger, SQLite by default, PostgreSQL by URL, with the same guarantees."""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, configure_mappers, sessionmaker

from funnel_app.ledger.database import driver
from funnel_app.ledger.database.after_commit import watch_commits
from funnel_app.ledger.database.troubles import READ_ONLY, as_unavailable
from funnel_app.ledger.database.turns import Line, TurnNotCome, Turns

BUSY_TIMEOUT_MS = 30_000
LONGEST_LOG = 64 * 2**20
# At SQLite's default of 4 MB, every thirtieth signup would run a checkpoint, with two more syncs.
PAGE, USUAL_LOG = 4096, 4000 * 4096
# secure_delete: erased data must not stay readable in the file; builds of SQLite differ in the default.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    # A WAL that grew behind a long reader is truncated once it is checkpointed.
    f"journal_size_limit={LONGEST_LOG}",
    f"wal_autocheckpoint={USUAL_LOG // PAGE}",
)
# A vanished machine closes no connection: without keepalives its locks would last two hours.
GONE_AFTER = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2}
UNANSWERED_AFTER = {"tcp_user_timeout": 15_000}
# With a few thousand emails to come the server compiled each question about what is due: 60 ms for one that takes four.
UNCOMPILED = {"jit": "off"}
CONNECT_WITHIN_S = 5
# Errors of a database that are no bug of ours. ProgrammingError: PostgreSQL's missing table; InternalError: PostgreSQL
# accepts no writes; PoolTimeout: no free connection.
LedgerUnavailable = (OperationalError, ProgrammingError, InternalError, InterfaceError, PoolTimeout)


def open_engine(url: str) -> Engine:
    """Return an engine without opening a connection. Use it after a fork: connections must not be shared."""
    if url.startswith("sqlite"):
        return _open_sqlite(url)
    return _open_postgres(url)


def prepare() -> None:
    """Configure the models before a fork, so that the result is in memory once."""
    configure_mappers()


def make_sessions(engine: Engine) -> tuple[sessionmaker[Session], sessionmaker[Session]]:
    """Return the makers of writing and of reading sessions; objects stay readable after a session closes."""
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
        # PgBouncer may use another server connection for each transaction, without prepared statements.
        connect_args={
            "connect_timeout": CONNECT_WITHIN_S,
            "prepare_threshold": None,
            # Otherwise a database in SQL_ASCII returns bytes, and cannot even be recognised.
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
        keepalives = {f"tcp_{name}": value for name, value in GONE_AFTER.items()}
        for name, value in (keepalives | UNANSWERED_AFTER | UNCOMPILED).items():
            cursor.execute(f"SET {name} = {value}")
    # Outside a transaction, so that a rollback does not undo them.
    connection.commit()


def _open_sqlite(url: str) -> Engine:
    name = make_url(url).database
    in_file = bool(name) and name != ":memory:"
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False, "factory": Line},
        # LIFO: the last used connection has a warm page cache, and each one costs memory.
        **({"pool_use_lifo": True} if in_file else {}),
    )
    if name and in_file and not name.startswith("file:"):
        event.listen(engine, "do_connect", lambda *_: _keep_to_owner(Path(name)))
    turns = Turns(f"{name}-turn" if in_file else None, BUSY_TIMEOUT_MS / 1000)
    event.listen(engine, "connect", partial(_prepare_sqlite, turns))
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _judge)
    return engine


def _judge(context: ExceptionContext) -> BaseException | None:
    error = context.sqlalchemy_exception
    if not isinstance(error, DBAPIError):
        return None
    # A read-only server was the primary: a new connection finds the current one.
    context.is_disconnect = context.is_disconnect or getattr(error.orig, "sqlstate", None) == READ_ONLY
    return as_unavailable(error)


def _keep_to_owner(file: Path) -> None:
    """Make the ledger's file readable by its owner only, whatever the umask; other users' files are left alone.

    SQLite creates its other files with the same mode.
    """
    with suppress(OSError):
        # Never open an existing one: closing it would drop this process's locks on it (POSIX, fcntl).
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with suppress(OSError):
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)


def _prepare_sqlite(turns: Turns, line: Line, record: object) -> None:
    line.turns = turns
    # The driver's own BEGIN is late and deferred: a reader that becomes a writer gets "locked".
    line.isolation_level = None
    for pragma in PRAGMAS:
        line.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("funnel_reads"):
        driver.ask(connection, "BEGIN")
        return
    _take_turn(cast(Line, connection.connection.dbapi_connection))
    driver.ask(connection, "BEGIN IMMEDIATE")


def _take_turn(line: Line) -> None:
    try:
        line.take_turn()
    except (TurnNotCome, OSError) as fault:
        raise OperationalError("BEGIN IMMEDIATE", None, fault) from fault
