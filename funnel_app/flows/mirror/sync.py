"""Sync: compare the rows in Notion with the ledger, and repair them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.mirror.mirror import mirror_some
from funnel_app.flows.mirror.rows import Written, address_of, by_address
from funnel_app.flows.mirror.write import Tally
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.notion.table import NotionTable, Row
from funnel_app.ledger import contacts, mirrored
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Contact, Enrolment

PEOPLE_AT_ONCE = 200
LONGEST_WAIT_S = 30.0
TRIES = 20


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What a repair found and did."""

    compared: int
    tally: Tally
    doubles: list[str]


def sync_desk(deps: Deps, *, everybody: bool) -> Synced:
    """Compare the rows in Notion with the ledger and write the differences; missing rows are created again.

    For people with a running sequence, or everybody. Safe to repeat. Raises Unavailable or Rejected.
    """
    desk, tally = deps.desk, Tally()
    found = {table: {row.id: row for row in table.rows()} for table in (desk.contacts, desk.sequences) if table}
    compared = 0
    for ids in _people(deps.reads, everybody=everybody):
        _take_stock(deps, ids, found)
        compared += len(ids)
    _write_all(deps, tally)
    rows = found[desk.contacts].values() if desk.contacts else ()
    return Synced(compared=compared, tally=tally, doubles=_doubles(rows))


def _people(reads: sessionmaker[Session], *, everybody: bool) -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        with reads() as session:
            ids = mirrored.people(session, last, PEOPLE_AT_ONCE, everybody=everybody)
        if not ids:
            return
        yield ids
        last = ids[-1]


def mark_everybody_stale(deps: Deps) -> None:
    """Let the mirror write everybody's rows again."""
    for ids in _people(deps.reads, everybody=True):
        _mark_stale(deps, ids)


@retry_on_conflict
def _mark_stale(deps: Deps, ids: list[UUID]) -> None:
    with deps.sessions.begin() as session:
        contacts.lock(session, ids)
        mirrored.mark_stale(session, ids, deps.now())


@retry_on_conflict
def _take_stock(deps: Deps, ids: list[UUID], found: dict[NotionTable, dict[str, Row]]) -> None:
    """Store Notion's content as last written, so that the mirror sees each difference."""
    known = by_address(found[deps.desk.contacts].values()) if deps.desk.contacts else {}
    with deps.sessions.begin() as session:
        contacts.lock(session, ids)
        mirrored.mark_stale(session, ids, deps.now())
        for contact, joined in mirrored.load(session, ids):
            memories: list[tuple[NotionTable | None, Contact | Enrolment]] = [(deps.desk.contacts, contact)]
            memories += [(deps.desk.sequences, enrolment) for enrolment in joined]
            for table, memory in memories:
                if table is None:
                    continue
                if memory.notion_page_id is not None:
                    _remember(table, memory, found[table].get(memory.notion_page_id))
                elif memory is contact and contact.email_norm in known:
                    contact.notion_page_id = known[contact.email_norm].id
                    _remember(table, contact, known[contact.email_norm])


def _remember(table: NotionTable, memory: Contact | Enrolment, row: Row | None) -> None:
    if row is None:
        memory.notion_page_id = memory.mirror_written = None
    else:
        before = Written.from_json(memory.mirror_written)
        memory.mirror_written = Written.found(table.table, row.values, before).as_json()


def _write_all(deps: Deps, tally: Tally) -> None:
    failures = 0
    while True:
        try:
            if not mirror_some(deps, tally):
                return
            failures = 0
        except Unavailable as fault:
            failures += 1
            if failures == TRIES:
                raise
            deps.sleep(min(fault.retry_after or 1.0, LONGEST_WAIT_S))


def _doubles(rows: Iterable[Row]) -> list[str]:
    counts = Counter(looked_up(address_of(row)) for row in rows if address_of(row))
    return sorted(address for address, count in counts.items() if count > 1)
