"""`flask enrol SEQUENCE EMAIL`: start a sequence for a person by hand."""

import json
import sys

import click
from flask.cli import with_appcontext

from funnel_app.commands.person import note
from funnel_app.commands.plain_text import AS_JSON, said_plainly, say
from funnel_app.current import current_deps
from funnel_app.flows.intake.manual import NotUnderstood, enrol_manually, in_words
from funnel_app.rules.calls.limits import TooManyEnrolments


@click.command("enrol")
@click.argument("sequence")
@click.argument("email")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="Set a variable for the emails.")
@AS_JSON
@with_appcontext
def enrol_command(sequence: str, email: str, values: tuple[str, ...], as_json: bool) -> None:
    """Start SEQUENCE (or CAMPAIGN/SEQUENCE) for EMAIL, as its hook would; exit 1 if it does not start."""
    given = {name: value for name, _, value in (pair.partition("=") for pair in values)}
    with said_plainly(NotUnderstood, TooManyEnrolments):
        receipt = enrol_manually(current_deps(), sequence, email, given)
    note("enrol", in_words(current_deps().registry.named(sequence)[1].title, receipt), contact_id=receipt.contact_id)
    if as_json:
        say(json.dumps(receipt.as_json(), indent=2))
    else:
        say(f"{receipt.status}{f': {receipt.reason}' if receipt.reason else ''}")
        for row in receipt.emails:
            say(f"  {row['step']}. {row['template']:<26} {row['due_at']}  {row['state']}  {row['reason'] or ''}")
    sys.exit(0 if receipt.http_status == 202 else 1)
