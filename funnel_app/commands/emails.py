"""`flask emails`: release, cancel, retry or resolve one email."""

from collections.abc import Callable
from uuid import UUID

import click
from flask.cli import with_appcontext

from funnel_app.commands.person import note
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.deps import Deps
from funnel_app.flows.console import intervene
from funnel_app.flows.console.subjects import of_email


@click.group("emails", cls=WholeHelp)
def group() -> None:
    """Release, cancel, retry or resolve one email; `flask trace EMAIL --ids` shows the ids."""


@group.command("release")
@click.argument("email_id", type=click.UUID)
@with_appcontext
def release(email_id: UUID) -> None:
    """Try a held email again now."""
    _do("release", intervene.release, email_id)


@group.command("cancel")
@click.argument("email_id", type=click.UUID)
@with_appcontext
def cancel(email_id: UUID) -> None:
    """Cancel an email that has not been handed over to Resend."""
    _do("cancel", intervene.cancel, email_id)


@group.command("retry")
@click.argument("email_id", type=click.UUID)
@with_appcontext
def retry(email_id: UUID) -> None:
    """Send a failed email again, or retry one that waits for Resend now."""
    _do("retry", intervene.retry, email_id)


@group.command("resolve")
@click.argument("email_id", type=click.UUID)
@click.argument("outcome", type=click.Choice(intervene.OUTCOMES))
@with_appcontext
def resolve(email_id: UUID, outcome: str) -> None:
    """Record whether an ambiguous email was sent; not-sent sends it again."""
    _do("resolve", lambda deps, found: intervene.resolve(deps, found, outcome), email_id)


def _do(name: str, action: Callable[[Deps, UUID], str], email_id: UUID) -> None:
    with said_plainly(intervene.NotPossible):
        said = action(current_deps(), email_id)
    subject = of_email(current_deps(), email_id)
    note(name, said, email_id=email_id, contact_id=subject.contact_id if subject else None)
    say(said)
