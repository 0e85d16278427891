"""Database errors: which kinds there are, and an explanation of each with its fix."""

import re

from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

# https://www.sqlite.org/rescode.html
SQLITE_READONLY, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_NOTADB = 8, 11, 13, 26
# https://www.postgresql.org/docs/current/errcodes-appendix.html
READ_ONLY, DISK_FULL, DAMAGED = "25006", "53100", ("XX001", "XX002")
# A refused connection has no SQLSTATE, only the server's message: role, database or password.
REFUSES_US = re.compile(r'(role|database) "[^"]*" does not exist|password authentication failed|no password supplied')
RESTORE = "stop Funnel and restore the newest backup that is whole, as docs/restore.md says"
CURES = {
    "damaged": f"the ledger is damaged: {RESTORE}",
    "read only": "the database takes no writes: point DATABASE_URL at the primary, or make it writable again",
    "full": "its disk is full: make room",
    "refused": "the server refuses the user, password or database in DATABASE_URL: correct it",
}


class UnfitDatabase(Exception):
    """The database cannot hold a ledger; the message says why, and how to create one that can."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The database that DATABASE_URL names has the encoding {encoding}, and a ledger needs UTF8. Make another, "
            "and name it in DATABASE_URL: CREATE DATABASE funnel ENCODING 'UTF8' TEMPLATE template0"
        )


def kind_of(error: DBAPIError) -> str | None:
    """Return the kind of a database error: damaged, read-only, full, refused; None for any other."""
    code = (getattr(error.orig, "sqlite_errorcode", None) or 0) & 0xFF
    state = getattr(error.orig, "sqlstate", None) or ""
    if code in {SQLITE_CORRUPT, SQLITE_NOTADB} or state in DAMAGED:
        return "damaged"
    if code == SQLITE_READONLY or state == READ_ONLY:
        return "read only"
    if code == SQLITE_FULL or state == DISK_FULL:
        return "full"
    return "refused" if REFUSES_US.search(str(error.orig)) else None


def explain(error: Exception) -> str:
    """Return an error of the ledger in one line, with the fix if known."""
    orig = getattr(error, "orig", None)
    words = next(iter(str(orig or error).strip().splitlines()), type(error).__name__)
    kind = kind_of(error) if isinstance(error, DBAPIError) else None
    return f"{CURES[kind]} ({words})" if kind else words


def as_unavailable(error: DBAPIError) -> DBAPIError:
    """Return an error without a class of its own, such as SQLite's damaged file, as an unavailable database."""
    if type(error) is not DatabaseError or error.orig is None:
        return error
    return OperationalError(error.statement, error.params, error.orig, hide_parameters=True)
