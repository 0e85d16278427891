"""A desk in a running stand-in for Notion, for tests of what flows do there."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from funnel_app.deps import Deps
from funnel_app.flows.mirror.mirror import mirror, mirror_is_behind
from funnel_app.flows.mirror.prepare import prepare_desk
from funnel_app.flows.mirror.write import Tally
from sandbox.notion.filters import comparable
from sandbox.notion.state import CONTACTS_DATABASE_ID, SEQUENCES_DATABASE_ID, Page, Source, new_id, plain
from sandbox.server import Server
from tests.factories import make_desk

IDS = {"contacts": CONTACTS_DATABASE_ID, "sequences": SEQUENCES_DATABASE_ID}


def lay(deps: Deps, server: Server, *, ready: bool = True, **ids: str) -> None:
    """Give these collaborators a desk in the stand-in, its columns all there unless the test says otherwise."""
    object.__setattr__(deps, "desk", make_desk(server.notion_url, deps.now, **(ids or IDS)))
    if ready:
        prepare_desk(deps)
        server.sandbox.calls.clear()


def source(server: Server, database_id: str) -> Source:
    notion = server.sandbox.notion
    return notion.sources[notion.databases[database_id].source_ids[0]]


def pages(server: Server, database_id: str, *, trashed: bool = False) -> list[Page]:
    wanted = source(server, database_id).id
    return [p for p in server.sandbox.notion.pages.values() if p.source_id == wanted and p.in_trash == trashed]


def shown(server: Server, database_id: str) -> list[dict[str, Any]]:
    """Return the rows of a table as a person reads them."""
    columns = source(server, database_id).properties.values()
    return [{c.name: comparable(page, c.name, c.type) for c in columns} for page in pages(server, database_id)]


def contacts(server: Server) -> list[dict[str, Any]]:
    return shown(server, CONTACTS_DATABASE_ID)


def sequences(server: Server) -> list[dict[str, Any]]:
    return shown(server, SEQUENCES_DATABASE_ID)


def write_row(server: Server, database_id: str, **values: Any) -> Page:
    """Put a row into a table as a person would; text is given as text."""
    table, at = source(server, database_id), server.sandbox.now()
    kept = {}
    named = {name.replace("_", " "): value for name, value in values.items()}
    for name, value in named.items():
        kind = table.properties[name].type
        kept[name] = {
            "title": plain,
            "rich_text": plain,
            "select": lambda v: {"id": "o", "name": v, "color": "default"},
            "date": lambda v: {"start": v, "end": None, "time_zone": None},
        }.get(kind, lambda v: v)(value)
    page = Page(new_id(), table.id, table.id, kept, at, at)
    server.sandbox.notion.pages[page.id] = page
    return page


def mirror_all(deps: Deps, turns: int = 50) -> list[Tally]:
    """Let the mirror's job run as the sweep would have it, until nothing is behind."""
    deps.now.forward(seconds=5)
    done = []
    while mirror_is_behind(deps) and len(done) < turns:
        done.append(mirror(deps, "tick"))
        deps.now.forward(seconds=5)
    assert not mirror_is_behind(deps), "the mirror does not catch up"
    return done


def calls(server: Server) -> Counter[str]:
    """Count the calls since the last time, by what they do."""
    found = Counter({name.replace("/notion/v1", ""): n for name, n in server.sandbox.calls.items()})
    server.sandbox.calls.clear()
    return found


def total(tallies: Iterable[Tally]) -> tuple[int, int]:
    told = list(tallies)
    return sum(t.made for t in told), sum(t.changed for t in told)
