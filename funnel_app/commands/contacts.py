"""`flask contacts`: suppress, release, export or erase a person."""

import json
from collections.abc import Iterator
from typing import Any

import click
from flask.cli import with_appcontext

from funnel_app.commands.person import note
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.addresses import NotAnAddress
from funnel_app.flows.console.subjects import contact_of_address
from funnel_app.flows.privacy import erase as erasing
from funnel_app.flows.privacy import suppress as suppressing
from funnel_app.flows.privacy.export import export as export_person
from funnel_app.ledger.models.base import Scope


@click.group("contacts", cls=WholeHelp)
def group() -> None:
    """Suppress, release, export or erase a person."""


@group.command("suppress")
@click.argument("email")
@click.option("--marketing", is_flag=True, help="Stop only marketing: emails about their calls and orders still go.")
@with_appcontext
def suppress(email: str, marketing: bool) -> None:
    """Stop mailing EMAIL, and end their sequences."""
    with said_plainly(NotAnAddress):
        fresh = suppressing.suppress(current_deps(), email, Scope.MARKETING if marketing else Scope.ALL)
    what = "marketing" if marketing else "nothing"
    if fresh:
        note("suppress", f"{'no marketing' if marketing else what} goes to this address any more", **_whom(email))
    say(f"{email} gets {'no ' if marketing else ''}{what} from now on." if fresh else "That was so already.")


@group.command("release")
@click.argument("email")
@with_appcontext
def release(email: str) -> None:
    """Allow mail to EMAIL again; exit 1 if nothing forbade it. Resend has its own list."""
    count = suppressing.release(current_deps(), email)
    if not count:
        raise click.ClickException(f"Nothing forbids mail to {email}.")
    note("release", "this address may be mailed again", **_whom(email))
    say(
        f"{email} may be mailed again. What has ended stays ended: flask enrol starts it again. After a bounce or a "
        "complaint, remove the address from Resend's own suppression list too."
    )


@group.command("export")
@click.argument("email")
@with_appcontext
def export(email: str) -> None:
    """Print as JSON everything known about EMAIL; exit 1 if there is nothing."""
    found = export_person(current_deps(), email)
    if found:
        note("export", "printed all that is known of this person", **_whom(email))
    say(json.dumps(found, indent=2, ensure_ascii=False))
    if not found:
        raise click.ClickException(f"Nothing is known of {email}.")


@group.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@with_appcontext
def erase(email: str, yes: bool) -> None:
    """Erase EMAIL everywhere, for good, and never mail it again; exit 1 if something is left to do."""
    if not yes:
        click.confirm(f"All that is known of {email} will be gone, and nobody can bring it back. Go on?", abort=True)
    whom = _whom(email)
    with said_plainly(erasing.NotYet, NotAnAddress):
        erased = erasing.erase(current_deps(), email)
    note("erase", "the lead is forgotten" if erased.known else "an address that nobody knew is never mailed", **whom)
    known = "All that was known of it is gone" if erased.known else "Nothing was known of it"
    say(f"{known}, and it will never be mailed.")
    if left := list(_left(erased)):
        raise click.ClickException("; ".join(left) + ": run this again.")


def _whom(email: str) -> dict[str, Any]:
    return {"contact_id": contact_of_address(current_deps().reads, email)}


def _left(erased: erasing.Erased) -> Iterator[str]:
    if erased.pages_left:
        yield f"{erased.pages_left} pages in Notion could not be removed"
    if erased.tables_left:
        yield f"{erased.tables_left} tables in Notion could not be asked for rows with this address"
    if erased.traces_left:
        yield "the ledger's file holds old copies while somebody reads it"
