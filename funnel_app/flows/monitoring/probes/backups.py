"""Backups: which exist, whether one is due, and what is wrong with them."""

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.monitoring.probes.backup_files import last_night, taken
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import incidents

FAILED, OLD, BROKEN, BEHIND = "backup_failed", "backup_old", "backup_broken", "replica_behind"
# The exit code of a failed backup that has reported why.
TOLD = 3
NIGHTS = 2
LITTLE_ROOM = 100 * 2**20
# Only where backups are made and their folder is mounted.
ROLES = ("all", "scheduler")


def newest_at(settings: Settings) -> datetime | None:
    """Return the time of the newest backup; None if there is none."""
    found = taken(Path(settings.backup_dir)) if settings.backup_dir else []
    return found[-1][0] if found else None


def report(deps: Deps, why: str | None) -> None:
    """Record the result of tonight's backup: why it failed, or None if it was made."""
    note(deps, {(FAILED, ""): why} if why else {}, [FAILED])


def why_failed(reads: sessionmaker[Session]) -> str | None:
    """Return why the last backup failed; None if it did not."""
    with reads() as session:
        return next((incident.detail for incident in incidents.current(session, {FAILED})), None)


def report_broken(deps: Deps, broken: Mapping[str, str]) -> None:
    """Record which kept backups can no longer be restored, and why, by file name."""
    note(deps, {(BROKEN, name): why for name, why in broken.items()}, [BROKEN])


def still_broken(deps: Deps) -> dict[str, str]:
    """Return the broken backups that still exist, by file name."""
    folder = Path(deps.settings.backup_dir or "/nowhere")
    with deps.reads() as session:
        found = {incident.subject: incident.detail for incident in incidents.current(session, {BROKEN})}
    return {name: why for name, why in found.items() if (folder / name).exists()}


def why_broken(deps: Deps) -> str | None:
    """Return which backups were damaged after they were made; None if none was."""
    told = [f"{name} was damaged after it was made: {why}" for name, why in sorted(still_broken(deps).items())]
    return "; ".join(told) or None


def why_old(deps: Deps) -> str | None:
    """Return since when there is no backup, if two nights made none; None otherwise."""
    newest = newest_at(deps.settings)
    if (
        deps.settings.role not in ROLES
        or newest is None
        or newest >= last_night(deps.now(), deps.settings.timezone) - timedelta(days=NIGHTS - 1)
    ):
        return None
    return f"the newest in {deps.settings.backup_dir} is of {said_at(deps, newest)}"


def why_no_room(settings: Settings) -> str | None:
    """Return how little room the backups' volume has; None if there is enough, or no folder yet."""
    folder = Path(settings.backup_dir or "/nowhere")
    if not folder.is_dir() or (free := shutil.disk_usage(folder).free) >= LITTLE_ROOM:
        return None
    return f"{free / 2**20:.0f} MB are left on the volume of {folder}"


def why_behind(deps: Deps) -> str | None:
    """Return why the replica lacks the newest change; None if it has it, or none is configured."""
    if deps.replica is None or deps.settings.role not in ROLES:
        return None
    try:
        deps.replica.check()
    except GatewayError as fault:
        return f"REPLICA_URL: {fault.message}"
    return None


def why_not_well(deps: Deps) -> str | None:
    """Return what is wrong with the backups in plain words; None if all is well or none are wanted."""
    if deps.settings.backup_dir is None:
        return None
    return why_failed(deps.reads) or why_old(deps) or why_broken(deps)
