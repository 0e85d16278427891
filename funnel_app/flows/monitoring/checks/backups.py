"""Checks of the backups: made each night, intact, and with room for the next."""

from sqlalchemy import Engine

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Check, Findings, fault, ok, warning
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.monitoring.probes.backups import (
    ROLES,
    newest_at,
    why_behind,
    why_broken,
    why_failed,
    why_no_room,
    why_old,
)

MAKE = "fix that, and run flask --app wsgi ledger backup"
REMOVE = "see whether that disk fails, remove the file, and run flask --app wsgi ledger backup"


def backups(deps: Deps) -> Findings:
    """Last night's backup exists, and tonight's will have room."""
    folder = deps.settings.backup_dir
    if folder is None:
        yield _none_wanted(deps.engine)
    elif deps.settings.role not in ROLES:
        yield ok("backups", "made and looked at where the scheduler runs")
    elif why := why_failed(deps.reads) or why_old(deps) or why_no_room(deps.settings):
        yield fault("backups", why, MAKE)
    elif why := why_broken(deps):
        yield fault("backups", why, REMOVE)
    elif (newest := newest_at(deps.settings)) is None:
        yield warning("backups", f"there is none in {folder} yet", "the scheduler makes the first within seconds")
    else:
        yield ok("backups", f"the newest in {folder} is of {said_at(deps, newest)}")


def replica(deps: Deps) -> Findings:
    """Changes of a SQLite ledger reach its replica within seconds, if one is configured."""
    if deps.settings.replica_url is None:
        yield ok("replica", "none: REPLICA_URL is not set")
    elif deps.replica is None:
        words = "REPLICA_URL is for a ledger in SQLite, and this one is kept by a server"
        yield warning("replica", words, "remove it, and let the database archive continuously: docs/scaling.md")
    elif why := why_behind(deps):
        yield fault("replica", why, "see that it can be written to, and the log for replica_ended; it needs ROLE=all")
    else:
        yield ok("replica", f"{deps.replica.url} has the newest change")


def _none_wanted(engine: Engine) -> Check:
    if engine.dialect.name == "sqlite":
        return warning("backups", "none are made: BACKUP_DIR is not set", "set it to a folder on another volume")
    return ok("backups", "left to the database's own: BACKUP_DIR is not set")
