"""Leads: the list that operators search, and one lead's page: the story of `trace`, what comes, what can be done."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from funnel_app.campaigns.segments import segment_of
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger import contacts, enrolments, leads, operator_actions, suppressions
from funnel_app.ledger.leads import Running, Wanted
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState, Suppression
from funnel_app.ledger.operator_actions import OperatorAction

PAGE = 50


@dataclass(frozen=True)
class LeadRow:
    """One line of the list."""

    contact: Contact
    running: list[Running]


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


@dataclass(frozen=True)
class Story:
    """One sequence of a lead, with its sentence, and what may be done to it."""

    enrolment: Enrolment
    sentence: str
    can: tuple[str, ...]

    @property
    def upcoming(self) -> list[Email]:
        """The emails that are to go yet."""
        return [email for email in self.enrolment.emails if email.state in {State.PLANNED, State.HELD}]


@dataclass(frozen=True)
class Lead:
    """All that the console shows of one lead; `moments` are newest first."""

    contact: Contact
    suppression: Suppression | None
    stories: list[Story]
    moments: list[Moment]
    zone: str
    segment: str | None
    erased: bool


CAN = {
    EnrolmentState.ACTIVE: ("send_next_now", "pause", "stop"),
    EnrolmentState.PAUSED: ("resume", "stop"),
}


def find_leads(deps: Deps, wanted: Wanted, limit: int = PAGE) -> LeadPage:
    """Return a page of leads, newest first, with what runs for each; three queries however many there are."""
    words = " ".join(wanted.words.split())
    with deps.reads() as session:
        found = leads.page(session, replace(wanted, words=words), limit + 1)
        shown = found[:limit]
        running = leads.enrolments_of(session, [contact.id for contact in shown])
    rows = [LeadRow(contact, running.get(contact.id, [])) for contact in shown]
    return LeadPage(rows, shown[-1].id if len(found) > limit else None)


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
    told = {row["id"]: row["sentence"] for row in story["enrolments"]}
    return Lead(
        contact=contact,
        suppression=suppression,
        # What began between the two readings is shown at the next look.
        stories=[Story(e, told[str(e.id)], _can(e)) for e in joined if str(e.id) in told],
        moments=_moments(story, joined, actions),
        zone=contact.timezone or _campaign_zone(deps, joined),
        segment=segment_of(contact.properties),
        erased=contacts.is_erased(contact),
    )


def _can(enrolment: Enrolment) -> tuple[str, ...]:
    possible = CAN.get(enrolment.state, ())
    waiting = any(email.state == State.PLANNED for email in enrolment.emails)
    return tuple(verb for verb in possible if verb != "send_next_now" or waiting)


def _campaign_zone(deps: Deps, joined: list[Enrolment]) -> str:
    known = [deps.registry.campaigns[e.campaign] for e in joined if e.campaign in deps.registry.campaigns]
    return known[-1].timezone if known else deps.settings.timezone


def _moments(story: dict[str, Any], joined: list[Enrolment], actions: list[OperatorAction]) -> list[Moment]:
    moments = [
        *map(_of_hook, story["hooks"]),
        *(_of_action(action) for action in actions),
        *(
            _of_event(event, told, email)
            for enrolment, row in zip(joined, story["enrolments"], strict=False)
            for email, told in zip(enrolment.emails, row["emails"], strict=True)
            for event in told["events"]
        ),
    ]
    # Turned round, and not sorted backwards: what happened in one second keeps its order too.
    return sorted(moments, key=lambda moment: moment.at)[::-1]


def _of_hook(hook: dict[str, Any]) -> Moment:
    ended = "; ".join(f"ended {row['sequence']}: {row['reason']}" for row in hook["ended"])
    detail = "; ".join(part for part in (hook["reason"], ended) if part)
    what = f"{(hook['event'] or hook['hook']).replace('_', ' ')} by {hook['source']}"
    return Moment(datetime.fromisoformat(hook["at"]), hook["outcome"], what, detail or None)


def _of_event(event: dict[str, Any], told: dict[str, Any], email: Email) -> Moment:
    what = f"email {told['step']}, {told['template']}"
    return Moment(datetime.fromisoformat(event["at"]), event["kind"], what, event["detail"], email.id)


def _of_action(action: OperatorAction) -> Moment:
    return Moment(action.at.replace(microsecond=0), "by hand", f"{action.operator}: {action.detail}")
