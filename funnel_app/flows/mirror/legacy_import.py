"""Legacy import: enrol the old system's leads, so that each goes on where they were.

Sent steps are closed, later ones keep their distance from the last sent one, and the mirror adopts the old rows. A dry
run does everything and rolls it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.plan_text import plan_of
from funnel_app.campaigns.reasons import Reason, ReasonCode
from funnel_app.campaigns.states import WAITING, State
from funnel_app.campaigns.timing import deadline_of
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.intake.end import end_all
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.mirror.legacy_rows import NotUnderstood, OldRow, facts_of, is_booked, read_row
from funnel_app.flows.mirror.rows import Written, address_of, by_address
from funnel_app.gateways.notion.table import NotionTable, Row
from funnel_app.ledger import contacts, emails, enrolments, hook_events, mirrored, planning, suppressions
from funnel_app.ledger.emails import Due
from funnel_app.ledger.models import Contact, Email, Enrolment, Scope
from funnel_app.ledger.models.types import new_id
from funnel_app.rules.facts import EmailFacts
from funnel_app.rules.people.contact import only_new
from funnel_app.rules.sequences.exit_words import in_words
from funnel_app.rules.sequences.plan import FirstEmail, Timing, plan_emails
from funnel_app.rules.states import RUNNING

SENT_BEFORE = Reason("sent before the cut-over", ReasonCode.SENT_BEFORE_CUT_OVER)
OVERTAKEN = Reason("a later email went before the cut-over")
ENDED_BEFORE = Reason("the sequence had ended before the cut-over")
SUPPRESSED_BEFORE = "mail was stopped in Notion before the cut-over"
BOOKED_BEFORE = "booked a call before the cut-over"


class NothingToImport(Exception):
    """The database of the old rows is not configured."""


@dataclass(frozen=True, kw_only=True)
class Carried:
    """The result for one row: enrolled, closed, kept, or not understood; with a detail for people."""

    address: str
    did: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class _Notes:
    """What Notion has: rows in Contacts by address, and which sequence rows are ours."""

    people: Mapping[str, Row]
    ours: set[str]


def cut_over(deps: Deps, *, dry_run: bool) -> list[Carried]:
    """Import every row of the Email Sequence database without an enrolment; return each one's result.

    Safe to repeat: imported rows are ours from then on. Raises Unavailable or Rejected before anything is done.
    """
    if deps.desk.sequences is None:
        raise NothingToImport("NOTION_SEQUENCES_DB_ID is not set: there are no rows to read.")
    rows = list(deps.desk.sequences.rows())
    people = list(deps.desk.contacts.rows()) if deps.desk.contacts else []
    with deps.reads() as session:
        ours = mirrored.owned(session, [row.id for row in rows])
    notes = _Notes(people=by_address(people), ours=ours)
    return [_carry(deps, row, notes, dry_run=dry_run) for row in rows if row.id not in ours]


def _carry(deps: Deps, row: Row, notes: _Notes, *, dry_run: bool) -> Carried:
    now = deps.now()
    try:
        old = read_row(deps.registry, row, now)
    except NotUnderstood as fault:
        return Carried(address=looked_up(address_of(row)), did="not understood", detail=str(fault))
    with deps.sessions() as session, session.begin() as transaction:
        enrolment, carried = _Carrying(deps, session, old, row, notes.people.get(old.email_norm), now).carry()
        kind = enrolment.kind
        planned = [Due(e.id, e.due_at, kind) for e in enrolment.emails if e.state == State.PLANNED]
        if dry_run:
            transaction.rollback()
            return carried
    schedule(deps, planned)
    return carried


@dataclass(frozen=True)
class _Carrying:
    """The import of one row, within its transaction."""

    deps: Deps
    session: Session
    old: OldRow
    row: Row
    person: Row | None
    now: datetime

    def carry(self) -> tuple[Enrolment, Carried]:
        """Enrol the lead in their present step, or close the sent steps of an existing enrolment."""
        contact = self._contact()
        known = enrolments.find_latest(
            self.session, contact.id, self.old.campaign.name, self.old.sequence.name, occurrence=""
        )
        enrolment = known or self._enrol(contact)
        closed = [email for email in enrolment.emails if known and self._close(email)]
        stopped = self._stop(contact, enrolment)
        _adopt(self.deps.desk.sequences, enrolment, self.row)
        enrolment.mirror_stale_since = self.now
        self.session.flush()
        did = "enrolled" if known is None else "closed" if closed else "kept"
        return enrolment, Carried(address=self.old.email_norm, did=did, detail=self._detail(enrolment, closed, stopped))

    def _contact(self) -> Contact:
        known, is_new = contacts.enter(self.session, self.old.email, self.old.email_norm, self.now)
        facts = {**self.old.facts, **(facts_of(self.person) if self.person else {})}
        if not is_new:
            # Values from hooks are newer.
            facts = only_new(known, facts)
        contact = contacts.upsert(self.session, self.old.email, self.old.email_norm, facts, self.now)
        _adopt(self.deps.desk.contacts, contact, self.person)
        if self.person is not None and self.person.values.get("suppressed") is True:
            suppressions.add(
                self.session,
                contact.email_norm,
                self.deps.settings.secret_key,
                scope=Scope.MARKETING,
                reason=SUPPRESSED_BEFORE,
                source="notion",
                now=self.now,
            )
        return contact

    def _enrol(self, contact: Contact) -> Enrolment:
        old, deps = self.old, self.deps
        interval = deps.settings.testing_interval_seconds
        today = self.now.astimezone(ZoneInfo(old.campaign.timezone)).date()
        timing = Timing(
            campaign=old.campaign,
            deadline=deadline_of(old.campaign, today),
            anchor_at=old.anchor_at(deps.mode, interval),
            mode=deps.mode,
            interval_seconds=interval,
            zone=ZoneInfo(contact.timezone or old.campaign.timezone),
        )
        planned = plan_emails(old.sequence, FirstEmail(entrance="import"), timing, self.now, contact.id)
        enrolment = Enrolment(
            id=new_id(),
            contact_id=contact.id,
            campaign=old.campaign.name,
            sequence=old.sequence.name,
            occurrence="",
            run=1,
            mode=deps.mode.value,
            kind=old.sequence.kind.value,
            happened_at=timing.anchor_at,
            anchor_at=timing.anchor_at,
            deadline=timing.deadline,
            plan=plan_of(old.campaign, old.sequence),
            variables=dict(contact.properties),
            created_at=self.now,
        )
        planning.plan(self.session, enrolment, map(self._as_it_went, planned), self.now)
        return enrolment

    def _as_it_went(self, email: EmailFacts) -> EmailFacts:
        reason = self._why_not(email)
        return email if reason is None else email.moved(State.SKIPPED, reason)

    def _why_not(self, email: Email | EmailFacts) -> Reason | None:
        if email.step in self.old.sent:
            return SENT_BEFORE
        if email.step < self.old.last:
            return OVERTAKEN
        return ENDED_BEFORE if self.old.ended else None

    def _close(self, email: Email) -> bool:
        reason = self._why_not(email)
        if reason is None or email.state not in WAITING:
            return False
        emails.move(self.session, email, State.SKIPPED, self.now, reason)
        return True

    def _stop(self, contact: Contact, enrolment: Enrolment) -> str | None:
        reason = self._why_stopped(contact)
        return reason if reason and end_all(self.session, self._running(enrolment), reason, self.now) else None

    def _running(self, enrolment: Enrolment) -> list[Enrolment]:
        return [enrolment] if enrolment.state in RUNNING else []

    def _why_stopped(self, contact: Contact) -> str | None:
        exits = self.old.sequence.exits
        heard = hook_events.heard(self.session, contact.id, self.old.campaign.name, exits)
        if heard:
            at = heard[-1].happened_at or heard[-1].received_at
            return in_words(Event(heard[-1].event or ""), at, ZoneInfo(self.old.campaign.timezone))
        pepper = self.deps.settings.secret_key
        suppression = suppressions.find(self.session, contact.email_norm, pepper, self.old.sequence.kind)
        if suppression is not None:
            return suppression.reason
        return BOOKED_BEFORE if Event.BOOKING in exits and is_booked(self.person) else None

    def _detail(self, enrolment: Enrolment, closed: list[Email], stopped: str | None) -> str:
        of = f"{enrolment.campaign}/{enrolment.sequence}"
        sent = ", ".join(str(number) for number in self.old.sent) or "none"
        coming = next((email for email in enrolment.emails if email.state in WAITING), None)
        if stopped:
            return f"{of}: sent {sent}; it ends: {stopped}"
        if coming is None:
            return f"{of}: sent {sent}; nothing more is to come"
        wait = coming.due_at - self.now
        when = "now" if wait.total_seconds() <= 0 else f"{coming.due_at:%d %B %H:%M} UTC"
        shut = f"; closed {', '.join(str(email.step) for email in closed)}" if closed else ""
        return f"{of}: sent {sent}{shut}; email {coming.step} goes {when}"


def _adopt(table: NotionTable | None, memory: Contact | Enrolment, row: Row | None) -> None:
    """Make an existing row this one's mirror."""
    if table is not None and row is not None and memory.notion_page_id is None:
        memory.notion_page_id = row.id
        memory.mirror_written = Written.found(table.table, row.values).as_json()
