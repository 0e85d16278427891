"""Write the rows of a few people into Notion, searching for each before creating it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.mirror.rows import Values, Written, address_of, contact_row, sequence_row
from funnel_app.flows.mirror.shown_call import ShownCall
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.notion.schema import Writes
from funnel_app.gateways.notion.table import NotionTable, Row, RowGone
from funnel_app.ledger import contacts, mirrored
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Contact, Enrolment, HookEvent

LEASE = timedelta(seconds=90)
AFTER_A_REFUSAL = timedelta(minutes=10)
# Errors about the whole table, not one row.
TABLE_WIDE = frozenset({"unauthorized", "restricted_resource", "object_not_found", "schema", "no_data_source"})

log = structlog.get_logger()


@dataclass
class Tally:
    """The result of one run: rows created and changed, people refused, and why."""

    people: int = 0
    made: int = 0
    changed: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """A contact with everything its rows need, read under the lease."""

    contact: Contact
    enrolments: Sequence[Enrolment]
    hooks: Sequence[HookEvent]
    call: ShownCall
    suppressed: bool

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address normalised and as typed: people may have typed it so into Notion."""
        return (self.contact.email_norm, self.contact.email)


@retry_on_conflict
def release(
    deps: Deps, ids: Sequence[UUID], token: UUID, *, wait: timedelta | None = None, error: str | None = None
) -> None:
    """Release these people's leases, at once or after a delay; lost leases are ignored."""
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, ids)
        mirrored.release(session, ids, token, now + wait if wait else None, error)


class Rows:
    """The rows of a few people, being written to Notion."""

    def __init__(self, deps: Deps, token: UUID, tally: Tally) -> None:
        self.deps = deps
        self.token = token
        self.tally = tally
        self.blocked = False
        self.doubtful: set[UUID] = set()
        self._contacts: list[Row] = []
        self._sequences: list[Row] = []

    def look_up(self, people: Sequence[Person]) -> None:
        """Search for existing rows of all these people, one query a table."""
        desk = self.deps.desk
        strangers = [address for p in people if p.contact.notion_page_id is None for address in p.addresses]
        if desk.contacts and strangers:
            self._contacts = desk.contacts.find_by_address(strangers)
        new = [address for p in people for address in p.addresses if any(_is_new(e) for e in p.enrolments)]
        if desk.sequences and new:
            found = desk.sequences.find_by_address(new)
            with self.deps.reads() as session:
                taken = mirrored.owned(session, [row.id for row in found])
            self._sequences = [row for row in found if row.id not in taken]

    def write(self, person: Person) -> bool:
        """Write a person's outdated rows; False if the whole table refuses, or the lease was lost."""
        now = self.deps.now()
        with self.deps.sessions.begin() as session:
            if not mirrored.renew(session, person.contact.id, self.token, now + LEASE):
                return False
        try:
            self._write_contact(person)
            for enrolment in person.enrolments:
                self._write_enrolment(person, enrolment)
        except Rejected as refusal:
            return self._refused(person, refusal)
        self.tally.people += 1
        release(self.deps, [person.contact.id], self.token)
        return True

    def _refused(self, person: Person, refusal: Rejected) -> bool:
        log.error("mirror_refused", contact=str(person.contact.id), error=str(refusal))
        self.tally.refused.append(str(refusal))
        release(self.deps, [person.contact.id], self.token, wait=AFTER_A_REFUSAL, error=str(refusal))
        self.blocked = refusal.code in TABLE_WIDE
        return not self.blocked

    def _write_contact(self, person: Person) -> None:
        table, contact = self.deps.desk.contacts, person.contact
        if table is None or (contact.mirror_stale_since is None and contact.notion_page_id is not None):
            return
        wanted = table.writable(contact_row(contact, person.hooks, person.call, suppressed=person.suppressed))
        found = next((row for row in self._contacts if address_of(row) in person.addresses), None)
        self._write(table, contact, person, wanted, found)

    def _write_enrolment(self, person: Person, enrolment: Enrolment) -> None:
        table = self.deps.desk.sequences
        if table is None or enrolment.mirror_stale_since is None:
            return
        found = next((row for row in self._sequences if _is_row_of(row, person, enrolment)), None)
        if _is_new(enrolment) and found is not None:
            self._sequences.remove(found)
        self._write(table, enrolment, person, table.writable(sequence_row(person.contact, enrolment)), found)

    def _write(
        self, table: NotionTable, memory: Contact | Enrolment, person: Person, wanted: Values, found: Row | None
    ) -> None:
        page_id, written = memory.notion_page_id, Written.from_json(memory.mirror_written)
        seen = page_id is None
        if page_id is None and found is not None:
            page_id, written = found.id, Written.found(table.table, found.values)
        try:
            if page_id is not None:
                written = self._update(table, page_id, written, wanted, seen=seen)
        except RowGone:
            # Before creating one again: Notion may have another of this person.
            page_id, written = self._update_left(table, memory, person, wanted)
        if page_id is None:
            page_id, written = self._make(table, person, wanted), Written(wanted)
        with self.deps.sessions.begin() as session:
            # The lease first: it locks the contact, as every transaction does before touching their data.
            if mirrored.renew(session, person.contact.id, self.token, self.deps.now() + LEASE):
                mirrored.wrote(session, memory, page_id, written.as_json())

    def _update_left(
        self, table: NotionTable, memory: Contact | Enrolment, person: Person, wanted: Values
    ) -> tuple[str | None, Written]:
        rows = [row for row in table.find_by_address(person.addresses) if row.id != memory.notion_page_id]
        if isinstance(memory, Enrolment):
            with self.deps.reads() as session:
                taken = mirrored.owned(session, [row.id for row in rows])
            rows = [row for row in rows if row.id not in taken and _is_row_of(row, person, memory)]
        if not rows:
            return None, Written({})
        found = Written.found(table.table, rows[0].values)
        return rows[0].id, self._update(table, rows[0].id, found, wanted, seen=True)

    def _update(self, table: NotionTable, page_id: str, written: Written, wanted: Values, *, seen: bool) -> Written:
        changes = written.changes(wanted)
        # A person may have edited it: read the row first unless it was just read.
        if not seen and any(table.table.properties[key].writes is Writes.ONCE for key in changes):
            written = Written.found(table.table, table.get(page_id).values, written)
            changes = written.changes(wanted)
        if changes:
            table.update(page_id, changes)
            self.tally.changed += 1
        return written.after(changes)

    def _make(self, table: NotionTable, person: Person, wanted: Values) -> str:
        try:
            row = table.create({key: value for key, value in wanted.items() if value is not None})
        except Unavailable as fault:
            if fault.in_doubt:
                self.doubtful.add(person.contact.id)
            raise
        self.tally.made += 1
        return row.id


def _is_new(enrolment: Enrolment) -> bool:
    return enrolment.notion_page_id is None and enrolment.mirror_stale_since is not None


def _is_row_of(row: Row, person: Person, enrolment: Enrolment) -> bool:
    of = (str(row.values.get("campaign")).casefold(), str(row.values.get("sequence")).casefold())
    return address_of(row) in person.addresses and of == (enrolment.campaign, enrolment.sequence)
