"""Prepare: check the databases in Notion, and add what is missing."""

from dataclasses import dataclass

from funnel_app.campaigns.called import as_choice
from funnel_app.deps import Deps
from funnel_app.flows.mirror.sync import mark_everybody_stale
from funnel_app.gateways.notion.schema import Table
from funnel_app.gateways.notion.workspace import NotionWorkspace


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The result for one database: its title, and each fault with the fix."""

    title: str
    faults: list[str]
    wishes_lacking: list[str]


@dataclass(frozen=True, kw_only=True)
class Added:
    """What was added to a database; the id only for a new one, with the setting for it."""

    title: str
    properties: list[str]
    made_id: str | None = None
    setting: str = ""


def check_desk(desk: NotionWorkspace) -> list[Looked]:
    """Compare every configured database with the schema. Raises Unavailable or Rejected."""
    return [
        Looked(title=table.table.title, faults=table.faults(), wishes_lacking=table.wishes_lacking())
        for table in desk.tables
    ]


def prepare_desk(deps: Deps, under_page: str | None = None) -> list[Added]:
    """Add the schema's missing properties to every database; below a page, create unconfigured databases.

    Nothing is removed, renamed or retyped. Adding is safe to repeat; creating is not, until the new ids are configured.
    Rows that the mirror could not write are retried. Raises Unavailable or Rejected.
    """
    choices = {"start": tuple(map(as_choice, deps.registry.startable_titles().values()))}
    added = [Added(title=table.table.title, properties=table.add_missing(choices)) for table in deps.desk.tables]
    if any(each.properties for each in added):
        mark_everybody_stale(deps)
    if under_page is None:
        return added
    made = [table.with_options(choices) for table in deps.desk.not_set()]
    return added + [_made(table, deps.desk.make_database(table, under_page)) for table in made]


def _made(table: Table, id_: str) -> Added:
    return Added(title=table.title, properties=[], made_id=id_, setting=f"NOTION_{table.key.upper()}_DB_ID")
