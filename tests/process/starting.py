"""Start a Funnel for a test: what two commands do for a person is done in this process, sooner."""

from dataclasses import replace

from funnel_app.campaigns.registry import load_registry
from funnel_app.flows.templates.populate import populate
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.ledger import schema
from funnel_app.ledger.engine import open_engine
from sandbox.stack import Stack, start_parts
from tests.factories import make_deps


def start_funnel(stack: Stack) -> None:
    """Migrate the ledger, write the starters into the stand-in Notion, and start all parts, until all are there."""
    env = stack.processes.env
    engine = open_engine(env["DATABASE_URL"])
    schema.upgrade(engine)
    notion = NotionTemplates(env["NOTION_TOKEN"], env["NOTION_TEMPLATES_DB_ID"], env["NOTION_API_URL"])
    populate(replace(make_deps(engine), registry=load_registry(), notebook=notion))
    engine.dispose()
    start_parts(stack)
