"""`flask notion`: the owner's databases in Notion."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext

from funnel_app.campaigns.spoken import things
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.deploy.interview import notion_id
from funnel_app.flows.mirror.legacy_import import NothingToImport, cut_over
from funnel_app.flows.mirror.prepare import check_desk, prepare_desk
from funnel_app.flows.mirror.sync import sync_desk
from funnel_app.gateways.errors import GatewayError

IF_NOT_FOUND = "Share the page or database with the integration in Notion (•••, Connections), or check its id."


@click.group("notion", cls=WholeHelp)
def group() -> None:
    """Check, create and sync the databases in Notion: templates, contacts, email sequences."""


@group.command()
@with_appcontext
def check() -> None:
    """List properties that are missing or have the wrong type; exit 1 if there are any."""
    with _gateway_said_plainly():
        looked = check_desk(current_deps().desk)
    for each in looked:
        for line in each.faults or [f"{each.title}: every property is there"]:
            say(line)
        for line in each.wishes_lacking:
            say(f"{line} (only for wishes, see NOTION_WISHES_BY)")
    _show_not_set()
    sys.exit(int(any(each.faults for each in looked)))


@group.command()
@click.option(
    "--under", metavar="PAGE", help="Create the databases that are not set, under this page (its address or id)."
)
@with_appcontext
def init(under: str | None) -> None:
    """Add missing properties; nothing is deleted, renamed or retyped. Needs only NOTION_TOKEN."""
    with _gateway_said_plainly():
        added = prepare_desk(current_deps(), notion_id(under) if under else None)
    for each in added:
        if each.made_id:
            say(f"{each.title}: made; set {each.setting}={each.made_id}")
        else:
            say(f"{each.title}: added {', '.join(each.properties) or 'nothing, all is there'}")
    if under is None:
        _show_not_set()


@group.command()
@click.option("--all", "everybody", is_flag=True, help="All rows, not only those with a running sequence.")
@with_appcontext
def sync(everybody: bool) -> None:
    """Compare the rows in Notion with the ledger and write what differs; exit 1 if Notion refused a row."""
    deps = current_deps()
    if not deps.desk.mirrors:
        say("There is no mirror: NOTION_CONTACTS_DB_ID and NOTION_SEQUENCES_DB_ID are not set.")
        return
    with _gateway_said_plainly():
        done = sync_desk(deps, everybody=everybody)
    made, changed = things(done.tally.made, "row"), f"{done.tally.changed:,}"
    say(f"{things(done.compared, 'contact')} compared: {made} made, {changed} changed.")
    for address in done.doubles:
        say(f"{address} has more than one row in Contacts: keep one of them and delete the others in Notion.")
    for refusal in done.tally.refused:
        say(f"refused: {refusal}")
    sys.exit(int(bool(done.tally.refused)))


@group.command("import")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@with_appcontext
def import_(dry_run: bool) -> None:
    """Import the old Email Sequence rows, so that each lead continues where they were; exit 1 if one is unclear.

    A row's `Email N Sent` closes those steps. Safe to repeat.
    """
    deps = current_deps()
    with _gateway_said_plainly(), said_plainly(NothingToImport):
        carried = cut_over(deps, dry_run=dry_run)
    if deps.settings.testing_mode:
        say("TESTING_MODE is on: what is enrolled now is a test, with minutes for days.", err=True)
    for each in carried:
        say(f"{each.did:<14} {each.address:<36} {each.detail}")
    counts = Counter(each.did for each in carried)
    summary = ", ".join(f"{count} {did}" for did, count in sorted(counts.items())) or "no rows of the old system"
    say(f"{'Would be: ' if dry_run else ''}{summary}.")
    sys.exit(int("not understood" in counts))


def _show_not_set() -> None:
    for table in current_deps().desk.not_set():
        say(f"{table.title}: not set, so it is not mirrored (NOTION_{table.key.upper()}_DB_ID)")


@contextmanager
def _gateway_said_plainly() -> Iterator[None]:
    try:
        yield
    except GatewayError as fault:
        raise click.ClickException(
            f"{str(fault).rstrip('.')}. {IF_NOT_FOUND}" if "404" in str(fault) else str(fault)
        ) from None
