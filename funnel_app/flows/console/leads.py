"""Leads: the list that operators search, and one lead's page: the story of `trace`, what comes, what can be done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.segments import segment_of
from funnel_app.campaigns.states import REPORTED_BY_PROVIDER, State
from funnel_app.deps import Deps
from funnel_app.flows.console.true_now import true_now
from funnel_app.flows.tracing.timeline import place_of
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger import contacts, enrolments, leads, operator_actions, suppressions
from funnel_app.ledger.leads import Running, Wanted
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState, Suppression
from funnel_app.ledger.operator_actions import OperatorAction

PAGE = 50
AT_A_TIME = 500


@dataclass(frozen=True)
class Next:
    """The email that goes next to a lead: what it is called, and when it is due."""

    title: str
    at: datetime


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
class Moment:
    """One thing that happened to a lead."""

    at: datetime
    kind: str
    what: str
    detail: str | None = None
    email_id: UUID | None = None
    hook_id: UUID | None = None


@dataclass(frozen=True)
class Story:
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


@dataclass(frozen=True)
class Lead:
    """All that the console shows of one lead; `true_now` is how they stand, `days` what happened, the newest first."""

    contact: Contact
    suppression: Suppression | None
    stories: list[Story]
    next: Next | None
    true_now: str
    days: list[tuple[date, list[Moment]]]
    zone: str
    segment: str | None
    erased: bool


CAN = {
    EnrolmentState.ACTIVE: ("send_next_now", "pause", "stop"),
    EnrolmentState.PAUSED: ("resume", "stop"),
}


def find_leads(deps: Deps, wanted: Wanted, limit: int = PAGE) -> LeadPage:
    """Return a page of leads, newest first, with what runs for each; four queries however many there are."""
    words = " ".join(wanted.words.split())
    with deps.reads() as session:
        found = leads.page(session, replace(wanted, words=words), limit + 1)
        shown = found[:limit]
        ids = [contact.id for contact in shown]
        running, upcoming = leads.enrolments_of(session, ids), leads.next_emails(session, ids)
    title = deps.registry.title_of_email
    nexts = {id_: Next(title(key), due_at) for id_, (key, due_at) in upcoming.items()}
    rows = [LeadRow(contact, running.get(contact.id, []), nexts.get(contact.id)) for contact in shown]
    return LeadPage(rows, shown[-1].id if len(found) > limit else None)


def count_leads(deps: Deps, wanted: Wanted) -> int:
    """Count all leads that are wanted."""
    with deps.reads() as session:
        return leads.count(session, replace(wanted, words=" ".join(wanted.words.split())))


def all_leads(deps: Deps, wanted: Wanted) -> Iterator[LeadRow]:
    """Return all leads that are wanted, newest first, read page by page."""
    after: UUID | None = None
    while True:
        found = find_leads(deps, replace(wanted, after=after), AT_A_TIME)
        yield from found.rows
        if found.next is None:
            return
        after = found.next


def find_lead(deps: Deps, contact_id: UUID) -> Lead | None:
    """Return all of one lead; None where there is none of that id."""
    with deps.reads() as session:
        contact = leads.find(session, contact_id)
        if contact is None:
            return None
        joined = enrolments.of_contact(session, contact_id)
        actions = operator_actions.of_contact(session, contact_id)
        kind = "marketing"
        suppression = suppressions.find(session, contact.email_norm, deps.settings.secret_key, kind)
    story = trace(deps, contact.email_norm)
    told = {row["id"]: row for row in story["enrolments"]}
    return Lead(
        contact=contact,
        suppression=suppression,
        # What began between the two readings is shown at the next look.
        stories=[_story(e, told[str(e.id)]) for e in joined if str(e.id) in told],
        next=_next(deps, joined),
        true_now=true_now(deps, joined),
        days=_by_day(_moments(deps, story, joined, actions), ZoneInfo(deps.settings.timezone)),
        zone=contact.timezone or _campaign_zone(deps, joined),
        segment=segment_of(contact.properties),
        erased=contacts.is_erased(contact),
    )


def _story(enrolment: Enrolment, row: dict[str, Any]) -> Story:
    return Story(enrolment, row["sentence"], _can(enrolment), _seen(enrolment, row))


def _can(enrolment: Enrolment) -> tuple[str, ...]:
    possible = CAN.get(enrolment.state, ())
    waiting = any(email.state == State.PLANNED for email in enrolment.emails)
    return tuple(verb for verb in possible if verb != "send_next_now" or waiting)


def _next(deps: Deps, joined: Sequence[Enrolment]) -> Next | None:
    running = (each for each in joined if each.state == EnrolmentState.ACTIVE)
    planned = [email for each in running for email in each.emails if email.state == State.PLANNED]
    first = min(planned, key=lambda email: email.due_at, default=None)
    return Next(deps.registry.title_of_email(first.template_key), first.due_at) if first else None


def _seen(enrolment: Enrolment, told: dict[str, Any]) -> dict[UUID, str]:
    """Return which emails were opened or clicked; a mail program may open one that nobody read."""
    kinds = [{event["kind"] for event in row["events"]} for row in told["emails"]]
    words = ["clicked" if "email.clicked" in each else "opened" if "email.opened" in each else "" for each in kinds]
    return {email.id: seen for email, seen in zip(enrolment.emails, words, strict=True) if seen}


def _by_day(moments: Iterable[Moment], zone: ZoneInfo) -> list[tuple[date, list[Moment]]]:
    return [(day, list(them)) for day, them in groupby(moments, key=lambda each: each.at.astimezone(zone).date())]


def _campaign_zone(deps: Deps, joined: list[Enrolment]) -> str:
    known = [deps.registry.campaigns[e.campaign] for e in joined if e.campaign in deps.registry.campaigns]
    return known[-1].timezone if known else deps.settings.timezone


def _moments(deps: Deps, story: dict[str, Any], joined: list[Enrolment], actions: list[OperatorAction]) -> list[Moment]:
    moments = [
        *map(_of_hook, story["hooks"]),
        *(_of_action(action) for action in actions),
        *(moment for enrolment in joined for moment in _of_end(deps, enrolment)),
        *(
            _of_event(deps, event, email)
            for enrolment, row in zip(joined, story["enrolments"], strict=False)
            for email, told in zip(enrolment.emails, row["emails"], strict=True)
            for event in _news(told["events"])
        ),
    ]
    # Turned round, and not sorted backwards: what happened in one second keeps its order too.
    return sorted(moments, key=lambda moment: (moment.at, place_of(moment.kind)))[::-1]


def _news(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events without those that something else tells: a start, an end, a claim, Resend's own report."""
    reported = {str(REPORTED_BY_PROVIDER[each["kind"]]) for each in events if each["kind"] in REPORTED_BY_PROVIDER}
    told = {State.SENDING, State.CANCELLED, *reported}
    return [each for number, each in enumerate(events) if each["kind"] not in told and (number or not _is_plan(each))]


def _is_plan(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == State.PLANNED)


def _of_end(deps: Deps, enrolment: Enrolment) -> Iterator[Moment]:
    if enrolment.ended_at is not None and enrolment.state == EnrolmentState.EXITED:
        title = f"“{deps.registry.title_of_sequence(enrolment.campaign, enrolment.sequence)}”"
        yield Moment(enrolment.ended_at.replace(microsecond=0), "ended", title, enrolment.exit_reason)


def _of_hook(hook: dict[str, Any]) -> Moment:
    what = f"{(hook['event'] or hook['hook']).replace('_', ' ')} by {hook['source']}"
    at, call = datetime.fromisoformat(hook["at"]), UUID(hook["id"])
    return Moment(at, hook["outcome"], what, hook["reason"], hook_id=call)


def _of_event(deps: Deps, event: dict[str, Any], email: Email) -> Moment:
    what = deps.registry.title_of_email(email.template_key)
    return Moment(datetime.fromisoformat(event["at"]), event["kind"], what, event["detail"], email.id)


def _of_action(action: OperatorAction) -> Moment:
    return Moment(action.at.replace(microsecond=0), "by hand", f"{action.operator}: {action.detail}")
