"""`flask ledger`: statistics, backup and restore."""

import json
import sys
from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from funnel_app.campaigns.spoken import things
from funnel_app.commands.plain_text import AS_JSON, said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.deps import Deps
from funnel_app.flows.maintenance.backup import BackupFailed, backup, prune
from funnel_app.flows.maintenance.nightly_backup import Renewed, renew_backup
from funnel_app.flows.maintenance.restore import NotRestored, Restored, restore, restore_moment
from funnel_app.flows.monitoring.statistics.stats import ledger_stats


@click.group("ledger", cls=WholeHelp)
def group() -> None:
    """Statistics, backup and restore of the ledger."""


@group.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Accepted for consistency: the output is always JSON.")
@with_appcontext
def stats(as_json: bool) -> None:
    """Print as JSON how many emails ended in which state; exit 1 if one is unexplained or was sent twice."""
    found = ledger_stats(current_deps())
    say(json.dumps(found, indent=2))
    sys.exit(1 if found["unexplained"] or found["duplicates"] else 0)


@group.command("backup")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder; by default BACKUP_DIR.")
@click.option("--prune", "prunes", is_flag=True, help="Remove backups older than BACKUP_KEEP_DAYS.")
@AS_JSON
@with_appcontext
def backup_command(folder: Path | None, prunes: bool, as_json: bool) -> None:
    """Back up the ledger while Funnel runs, and verify the copy; exit 1 if it is incomplete."""
    deps = current_deps()
    where = folder or (Path(deps.settings.backup_dir) if deps.settings.backup_dir else None)
    if where is None:
        raise click.UsageError("Name a folder with --to, or set BACKUP_DIR.")
    with said_plainly(BackupFailed):
        renewed = _renewed(deps, where, prunes)
    made, removed = renewed.made, renewed.removed
    if as_json:
        say(json.dumps({**made.as_json(), "removed": removed, "broken": renewed.broken}, indent=2))
        return
    say(f"{made.file}: {made.bytes / 1e6:.1f} MB, opened and counted.")
    say(", ".join(things(made.rows[f"{each}s"], each) for each in ("contact", "enrolment", "email")) + ".")
    if removed:
        say(f"{removed} older than {deps.settings.backup_keep.days} days removed.")
    for name, why in renewed.broken.items():
        say(f"{name} was damaged after it was made: {why}. Remove it, and see whether that disk fails.")


def _renewed(deps: Deps, folder: Path, prunes: bool) -> Renewed:
    """Make a backup; one in `BACKUP_DIR` replaces the nightly one and ends an alert about it."""
    if deps.settings.backup_dir is not None and folder.resolve() == Path(deps.settings.backup_dir).resolve():
        return renew_backup(deps, prunes=prunes)
    made = backup(deps, folder)
    return Renewed(made, prune(folder, deps.settings.backup_keep, deps.now()) if prunes else 0, {})


def _moment(at: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(at) if at else None
    except ValueError:
        found = None
    if at and (found is None or found.tzinfo is None):
        raise click.UsageError("--at takes a time with its zone, such as 2026-11-26T10:00:00Z.")
    return found


def _restored(source: str, at: datetime | None) -> Restored:
    if "://" in source:
        return restore_moment(current_deps(), source, at)
    if at is not None or not Path(source).is_file():
        raise click.UsageError(f"{source} is no file; --at is for the address of a replica, which has :// in it.")
    return restore(current_deps(), Path(source))


@group.command("restore")
@click.argument("source")
@click.option(
    "--at", metavar="TIME", help="The replica's point in time, such as 2026-11-26T10:00:00Z; by default its latest."
)
@AS_JSON
@with_appcontext
def restore_command(source: str, at: str | None, as_json: bool) -> None:
    """Restore SOURCE into the empty ledger of DATABASE_URL; emails that may have gone out since wait for you.

    SOURCE is a backup file, or a replica's address as flask doctor shows it.
    """
    with said_plainly(NotRestored):
        done = _restored(source, _moment(at))
    if as_json:
        say(json.dumps(done.as_json(), indent=2))
        return
    say(f"Restored {things(done.rows['contacts'], 'contact')} and {things(done.rows['emails'], 'email')}.")
    if done.held:
        say(
            f"Due since then, and perhaps gone out: {things(done.held, 'email')}, ambiguous now. Nothing of it goes "
            "further until Resend's report or you say what became of it. See docs/restore.md."
        )
