"""`flask db`: migrate the ledger, or check whether it is up to date."""

import sys

import click
from alembic.util import CommandError
from flask.cli import with_appcontext

from funnel_app.commands.plain_text import say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.ledger.database import revision as revisions
from funnel_app.ledger.database import schema


@click.group("db", cls=WholeHelp)
def group() -> None:
    """Migrate the ledger's tables."""


@group.command()
@with_appcontext
def upgrade() -> None:
    """Upgrade the ledger to the newest migration."""
    engine = current_deps().engine
    before = schema.current(engine)
    schema.upgrade(engine)
    say(f"The ledger is at {schema.current(engine)} (it was at {before or 'nothing'}).")


@group.command()
@click.argument("revision")
@with_appcontext
def downgrade(revision: str) -> None:
    """Downgrade the ledger to REVISION (base: before the first)."""
    engine = current_deps().engine
    known = ["base", *sorted(revisions.known())]
    if revision not in known:
        raise click.ClickException(f"There is no migration {revision}; there are {', '.join(known)}.")
    schema.downgrade(engine, revision)
    say(f"The ledger is at {schema.current(engine) or 'nothing'}.")


@group.command()
@with_appcontext
def check() -> None:
    """Exit 1 if the ledger is not at the newest migration, or its tables differ from the models."""
    engine = current_deps().engine
    if not schema.at_head(engine):
        say(f"The ledger is at {schema.current(engine) or 'nothing'}, not at {schema.head()}: run flask db upgrade.")
        sys.exit(1)
    try:
        schema.check(engine)
    except CommandError as difference:
        say(f"The tables differ from the models: {difference}")
        sys.exit(1)
    say(f"The ledger is at {schema.head()}, and its tables are those of the models.")


@group.command()
@click.argument("name")
@with_appcontext
def revision(name: str) -> None:
    """Draft the migration NAME (such as 0002_add_something) from the difference between models and ledger."""
    schema.make_revision(current_deps().engine, name.replace("_", " "), name)
    say(f"Drafted migrations/versions/{name}.py: read and fix it.")
