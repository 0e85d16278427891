"""Leads: the list that operators search, and one lead's page: the history of `trace`, what comes, what can be done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.segments import segment_of
from funnel_app.campaigns.states import CLICKED, OPENED, State, state_in_words
from funnel_app.deps import Deps
from funnel_app.flows.console.moments import Moment, by_day, moments
from funnel_app.flows.console.next_email import Next, next_email
from funnel_app.flows.console.true_now import client_since, true_now
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger import contacts, enrolments, suppressions
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState, Suppression
from funnel_app.ledger.queries import leads
from funnel_app.ledger.queries.leads import NextEmail, Running, Wanted

PAGE = 50
AT_A_TIME = 500


@dataclass(frozen=True)
class LeadRow:
    """One line of the list."""

    contact: Contact
    running: list[Running]
    next: Next | None = None


@dataclass(frozen=True)
class LeadPage:
    """One page of leads, and what the next page begins after; None where this is the last."""

    rows: list[LeadRow]
    next: UUID | None


@dataclass(frozen=True)
class EnrolmentView:
    """One sequence of a lead, with its sentence, what may be done to it, and which of its emails were looked at."""

    enrolment: Enrolment
    sentence: str
    can: tuple[str, ...]
    seen: Mapping[UUID, str]

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.enrolment.state in CAN

    @property
    def asks(self) -> bool:
        """Whether one of its emails waits for a person."""
        return any(email.state in {State.HELD, State.AMBIGUOUS, State.FAILED} for email in self.enrolment.emails)

    @property
    def upcoming(self) -> list[Email]:
        """The emails that are to go yet."""
        return [email for email in self.enrolment.emails if email.state in {State.PLANNED, State.HELD}]

    @property
    def next_at(self) -> datetime | None:
        """When the next of them is due; None where nothing is to go."""
        return min((email.due_at for email in self.upcoming), default=None) if self.runs else None

    @property
    def urgency(self) -> tuple[bool, bool, bool, datetime]:
        """How early it is read: what waits for a person first, then what sends next, then what is paused."""
        paused = self.enrolment.state is EnrolmentState.PAUSED
        return (not self.asks, self.next_at is None, paused, self.next_at or self.enrolment.created_at)


@dataclass(frozen=True)
class Lead:
    """All that the console shows of one lead; `true_now` is how they stand, `days` what happened, the newest first.

    `client` says since when they are one; None if they are not.
    """

    contact: Contact
    suppression: Suppression | None
    views: list[EnrolmentView]
    next: Next | None
    true_now: str
    days: list[tuple[date, list[Moment]]]
    zone: str
    segment: str | None
    erased: bool
    client: str | None

    @property
    def running(self) -> list[EnrolmentView]:
        """What has not ended, or waits for a person; the most urgent first."""
        return sorted((each for each in self.views if each.runs or each.asks), key=lambda each: each.urgency)

    @property
    def over(self) -> list[EnrolmentView]:
        """What has ended and waits for nobody."""
        return [each for each in self.views if not each.runs and not each.asks]


CAN = {
    EnrolmentState.ACTIVE: ("send_next_now", "pause", "stop"),
    EnrolmentState.PAUSED: ("resume", "stop"),
}


def find_leads(deps: Deps, wanted: Wanted, limit: int = PAGE) -> LeadPage:
    """Return a page of leads, newest first, with their running sequences; four queries in all."""
    words = " ".join(wanted.words.split())
    with deps.reads() as session:
        found = leads.page(session, replace(wanted, words=words), limit + 1)
        shown = found[:limit]
        ids = [contact.id for contact in shown]
        running, upcoming = leads.enrolments_of(session, ids), leads.next_emails(session, ids)
    nexts = {id_: _next(deps.registry, email) for id_, email in upcoming.items()}
    rows = [LeadRow(contact, running.get(contact.id, []), nexts.get(contact.id)) for contact in shown]
    return LeadPage(rows, shown[-1].id if len(found) > limit else None)


def _next(registry: Registry, email: NextEmail) -> Next:
    waits = None if email.state == State.PLANNED else state_in_words(email.state)
    return Next(registry.title_of_email(email.key), email.due_at, waits)


def count_leads(reads: sessionmaker[Session], wanted: Wanted) -> int:
    """Count the matching leads."""
    with reads() as session:
        return leads.count(session, replace(wanted, words=" ".join(wanted.words.split())))


def all_leads(deps: Deps, wanted: Wanted) -> Iterator[LeadRow]:
    """Return all matching leads, newest first, read page by page."""
    after: UUID | None = None
    while True:
        found = find_leads(deps, replace(wanted, after=after), AT_A_TIME)
        yield from found.rows
        if found.next is None:
            return
        after = found.next


def find_lead(deps: Deps, contact_id: UUID) -> Lead | None:
    """Return everything about one lead; None if the id is unknown."""
    with deps.reads() as session:
        contact = leads.find(session, contact_id)
        if contact is None:
            return None
        joined = enrolments.of_contact(session, contact_id)
        suppression = suppressions.strictest(session, contact.email_norm, deps.settings.secret_key)
    traced = trace(deps, contact.email_norm)
    told = {row["id"]: row for row in traced["enrolments"]}
    return Lead(
        contact=contact,
        suppression=suppression,
        # A sequence that started between the two reads appears at the next load.
        views=[_view(e, told[str(e.id)]) for e in joined if str(e.id) in told],
        next=next_email(deps.registry, joined, told),
        true_now=true_now(deps.registry, joined),
        days=by_day(moments(deps.registry, traced, joined), ZoneInfo(deps.settings.timezone)),
        zone=contact.timezone or _campaign_zone(deps, joined),
        segment=segment_of(contact.properties),
        erased=contacts.is_erased(contact),
        client=client_since(traced["hooks"], ZoneInfo(deps.settings.timezone)),
    )


def _view(enrolment: Enrolment, row: dict[str, Any]) -> EnrolmentView:
    return EnrolmentView(enrolment, row["sentence"], _can(enrolment), _seen(enrolment, row))


def _can(enrolment: Enrolment) -> tuple[str, ...]:
    possible = CAN.get(enrolment.state, ())
    waiting = any(email.state == State.PLANNED for email in enrolment.emails)
    return tuple(verb for verb in possible if verb != "send_next_now" or waiting)


def _seen(enrolment: Enrolment, told: dict[str, Any]) -> dict[UUID, str]:
    """Return which emails were opened or clicked; a mail program may open one that nobody read."""
    kinds = [{event["kind"] for event in row["events"]} for row in told["emails"]]
    words = ["clicked" if CLICKED in each else "opened" if OPENED in each else "" for each in kinds]
    return {email.id: seen for email, seen in zip(enrolment.emails, words, strict=True) if seen}


def _campaign_zone(deps: Deps, joined: list[Enrolment]) -> str:
    known = [deps.registry.campaigns[e.campaign] for e in joined if e.campaign in deps.registry.campaigns]
    return known[-1].timezone if known else deps.settings.timezone
