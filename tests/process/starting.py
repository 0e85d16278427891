"""Start a Funnel for a test: what two commands do for a person is done in this process, sooner."""

from pathlib import Path

from funnel_app.campaigns.registry import load_registry
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from sandbox.stack import Stack, start_parts
from tests.sqlite_files import migrated

# For what does not depend on their number: each process takes time to start.
ONE_OF_EACH = {"WEB_CONCURRENCY": "1", "WORKERS": "1"}
# Each scheduler judges all texts when it starts, and takes two seconds for the starters, most of it for their style.
SHORT = """<p>Hi {{ first_name }}</p>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a> · {{ company_name }}, {{ company_address }}</p>"""


def start_funnel(stack: Stack) -> None:
    """Migrate the ledger, write a short text for each email, and start all parts, until all are there."""
    migrate(stack.processes.env["DATABASE_URL"])
    write_texts(stack)
    start_parts(stack)


def migrate(ledger: str) -> None:
    """Make an empty ledger at the newest migration at this address: in SQLite a copy of the one of this run."""
    if ledger.startswith("sqlite:///"):
        Path(ledger.removeprefix("sqlite:///")).write_bytes(migrated().read_bytes())
        return
    engine = open_engine(ledger)
    schema.upgrade(engine)
    engine.dispose()


def write_texts(stack: Stack) -> None:
    """Write a short text for each email into the stand-in Notion."""
    for key in load_registry().template_keys():
        page = {"Template Name": key, "Subject Line": f"About {key}", "Email Body HTML": SHORT, "Status": "Active"}
        stack.fill_in("/desk/templates/new", page)
