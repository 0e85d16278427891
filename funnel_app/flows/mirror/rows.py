"""Rows: what a row in Notion should contain, from the ledger; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.reasons import ReasonCode
from funnel_app.campaigns.segments import segment_of
from funnel_app.campaigns.states import HOLDS_SUCCESSOR, State
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.mirror.shown_call import ShownCall
from funnel_app.gateways.notion.schema import Table, Writes
from funnel_app.gateways.notion.table import Row
from funnel_app.gateways.notion.values import Value, row_time
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState, HookEvent
from funnel_app.rules.sequences.exit_words import REASONS

MOST_STEPS = 5
STATUSES = {
    EnrolmentState.ACTIVE: "Running",
    EnrolmentState.PAUSED: "Paused",
    EnrolmentState.COMPLETED: "Completed",
}
PHASES = {"Booked": "Call booked", "Missed": "Missed call", "Held": "Thinking"}
TROUBLED = frozenset(
    {
        State.HELD,
        State.AMBIGUOUS,
        State.DELAYED,
        State.FAILED,
        State.BOUNCED,
        State.COMPLAINED,
        State.SUPPRESSED,
        State.SKIPPED,
    }
)
NO_TROUBLE = frozenset({ReasonCode.SENT_BY_WEBSITE, ReasonCode.SENT_BEFORE_CUT_OVER, ReasonCode.STEP_CAME_LATE})
Values = dict[str, Value]


@dataclass(frozen=True)
class Written:
    """A row's content when last written or read, and which of its `once` properties people own."""

    values: Mapping[str, Value]
    people: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Written":
        """Return what the ledger stored; empty for a row that was never written."""
        given = kept or {}
        return cls(given.get("values", {}), frozenset(given.get("people", ())))

    @classmethod
    def found(cls, table: Table, values: Mapping[str, Value], before: "Written | None" = None) -> "Written":
        """Return a row as found: people own a `once` property that we did not write."""
        ours = before or cls({})
        theirs = {
            key
            for key, prop in table.properties.items()
            if prop.writes is Writes.ONCE
            and values.get(key) is not None
            and (key in ours.people or values[key] != ours.values.get(key))
        }
        return cls(values, frozenset(theirs))

    def as_json(self) -> dict[str, Any]:
        """Return it as the ledger keeps it."""
        return {"values": dict(self.values), "people": sorted(self.people)}

    def after(self, values: Mapping[str, Value]) -> "Written":
        """Return it with these values applied."""
        return Written({**self.values, **values}, self.people)

    def changes(self, wanted: Mapping[str, Value]) -> Values:
        """Return the updates that make the row current, without properties that people own."""
        return {
            key: value
            for key, value in wanted.items()
            if key not in self.people and (key not in self.values or self.values[key] != value)
        }


def address_of(row: Row) -> str:
    """Return the address in a row as somebody typed it; empty if there is none."""
    return str(row.values.get("email") or "").strip()


def by_address(rows: Iterable[Row]) -> dict[str, Row]:
    """Return the rows that have an address by its normalised form; of several rows the first."""
    return {looked_up(address_of(row)): row for row in reversed(list(rows)) if address_of(row)}


def contact_row(contact: Contact, hooks: Sequence[HookEvent], call: ShownCall, *, suppressed: bool) -> Values:
    """Return the content of a contact's row."""
    facts = contact.properties
    return {
        "name": _name(contact),
        "email": contact.email_norm,
        "business": contact.business_name,
        "segment": segment_of(facts),
        "phase": _phase(hooks, call.status, facts),
        "score": facts.get("assessment_score"),
        "red": facts.get("red_systems"),
        "orange": facts.get("orange_systems"),
        "yellow": facts.get("yellow_systems"),
        "green": facts.get("green_systems"),
        "weakest": facts.get("weakest_system_1"),
        "leak": facts.get("revenue_leak_total"),
        "signed_up": row_time(contact.created_at),
        "booking": call.status,
        "call": row_time(call.at) if call.at else None,
        "suppressed": suppressed,
    }


def sequence_row(contact: Contact, enrolment: Enrolment) -> Values:
    """Return the content of an enrolment's row."""
    coming = _next(enrolment)
    return {
        "name": _name(contact),
        "email": contact.email_norm,
        "campaign": enrolment.campaign,
        "sequence": enrolment.sequence,
        "segment": segment_of(enrolment.variables),
        "status": _status(enrolment),
        "next_email": coming.template_key if coming else None,
        "next_at": row_time(coming.due_at) if coming else None,
        **{f"email_{each.step}_sent": _sent(enrolment, each) for each in enrolment.emails if each.step <= MOST_STEPS},
        "delivered": sum(email.state == State.DELIVERED for email in enrolment.emails),
        "problem": _problem(enrolment),
        "completed": enrolment.state == EnrolmentState.COMPLETED,
        "email_1_by": _first_by(enrolment.emails),
    }


def _name(contact: Contact) -> str:
    return contact.name or contact.first_name or contact.email_norm


def _phase(hooks: Sequence[HookEvent], booking: str | None, facts: Mapping[str, Any]) -> str:
    events = {hook.event for hook in hooks}
    if Event.ONBOARDING in events:
        return "Client"
    if booking in PHASES:
        return PHASES[booking]
    return "Assessed" if Event.ASSESSMENT in events or facts.get("assessment_score") is not None else "Lead"


def _status(enrolment: Enrolment) -> str:
    if enrolment.state != EnrolmentState.EXITED:
        return STATUSES[EnrolmentState(enrolment.state)]
    # Status has few options: a reason with its date, such as an unsubscribe's, goes to Last Problem.
    return f"Ended: {REASONS[Event(enrolment.exit_event)]}" if enrolment.exit_event else "Stopped"


def _next(enrolment: Enrolment) -> Email | None:
    if enrolment.state not in {EnrolmentState.ACTIVE, EnrolmentState.PAUSED}:
        return None
    return next((email for email in enrolment.emails if email.state in HOLDS_SUCCESSOR), None)


def _sent(enrolment: Enrolment, email: Email) -> str | None:
    at: datetime | None = email.sent_at or email.delivered_at
    if email.state == State.SKIPPED and email.reason_code == ReasonCode.SENT_BY_WEBSITE:
        at = enrolment.anchor_at
    return row_time(at) if at else None


def _problem(enrolment: Enrolment) -> str | None:
    told = [
        f"email {email.step} {email.state}: {email.reason or 'no reason given'}"
        for email in enrolment.emails
        if email.state in TROUBLED and email.reason_code not in NO_TROUBLE
    ]
    if told:
        return told[-1]
    return enrolment.exit_reason if enrolment.exit_event is None else None


def _first_by(emails: Sequence[Email]) -> str | None:
    first = next((email for email in emails if email.step == 1), None)
    if first is None:
        return None
    if first.state == State.SKIPPED and first.reason_code == ReasonCode.SENT_BY_WEBSITE:
        return "Website"
    return "Funnel" if first.sent_at or first.delivered_at else None
