"""Uncommitted: what other transactions have written and not committed yet: who looks for it now does not see it."""

from collections.abc import Callable, Collection

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session, sessionmaker

LOOKS_EVERY_S, MOST_LOOKS = 0.05, 200
_WRITERS = text(
    "SELECT DISTINCT virtualtransaction FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
    "WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND relname IN :tables AND mode = 'RowExclusiveLock' AND granted"
).bindparams(bindparam("tables", expanding=True))


def wait_for_writers(reads: sessionmaker[Session], tables: Collection[str], sleep: Callable[[float], None]) -> bool:
    """Wait until whoever has written to these tables by now has committed or given up; False after ten seconds.

    Nobody waits for us: who begins meanwhile goes on. On SQLite, whoever has just written was alone.
    """
    before = writers = _writers(reads, tables)
    for _ in range(MOST_LOOKS):
        if not before & writers:
            return True
        sleep(LOOKS_EVERY_S)
        writers = _writers(reads, tables)
    return False


def _writers(reads: sessionmaker[Session], tables: Collection[str]) -> set[str]:
    with reads() as session:
        if session.get_bind().dialect.name != "postgresql":
            return set()
        return set(session.scalars(_WRITERS, {"tables": list(tables)}))
