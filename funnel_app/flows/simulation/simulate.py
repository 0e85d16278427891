"""Simulate: run a script through the real flows, and return the calendar of what the lead would get."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID, uuid4

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.addresses import normalised
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import complete
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.simulation.calls import MISSED_AGO, OF_A_CALL, call_of
from funnel_app.flows.simulation.script import UNSUBSCRIBE, Happening, Script
from funnel_app.flows.simulation.world import World, bring, simulated_world
from funnel_app.ledger import contacts, emails, enrolments, messages, scratch
from funnel_app.ledger.models import Email
from funnel_app.rules.calls.limits import TooManyEnrolments
from funnel_app.rules.emails.reports import Report

# Far more steps than any sequence needs: without progress the simulation is stopped as faulty.
MOST_STEPS = 2000


@dataclass(frozen=True, kw_only=True)
class Played:
    """One entry of the calendar: an event (`what`, and its result), or an email.

    Of an email that waits, `what` stands beside its sequence and step.
    """

    at: datetime
    what: str = ""
    came_of_it: str = ""
    sequence: str = ""
    step: int = 0
    template: str = ""
    subject: str = ""
    text: str = ""
    state: str = ""
    reason: str | None = None
    call_at: datetime | None = None

    @property
    def gone(self) -> bool:
        """Say whether it is an email that the lead gets."""
        return self.state == State.DELIVERED


def simulate(deps: Deps, script: Script) -> list[Played]:
    """Return all events and emails in order. Nothing is written, sent or asked outside.

    Raises NotUnderstood for an unknown lead.
    """
    with simulated_world(deps, script.at) as world:
        return play(deps.reads, world, script)


def play(reads: sessionmaker[Session], world: World, script: Script) -> list[Played]:
    """Run a script with a person of its own in a world that may have run others. Raises as simulate."""
    world.clock.at = script.at
    if script.lead:
        bring(reads, world, script.lead)
    person = _Person(world, script)
    for happening in script.happenings():
        person.live_until(happening.at)
        person.meet(happening)
    person.live_until(None)
    return sorted(person.calendar(), key=lambda each: (each.at, each.step))


def _waiting(email: Email, reason: str, at: datetime) -> Played:
    sequence, step = email.enrolment.sequence, email.step
    return Played(at=at, what=f"{sequence} {step} waits", came_of_it=reason, sequence=sequence, step=step)


class _Person:
    """One lead of a simulation."""

    def __init__(self, world: World, script: Script) -> None:
        self._world, self._deps, self._script = world, world.deps, script
        self._address = script.lead or f"{uuid4().hex}@simulated.example"
        self._calls = count(1)
        self._call = ""
        self._call_at: datetime | None = None
        self._met: list[Played] = []
        self._held: dict[UUID, str] = {}

    def meet(self, happening: Happening) -> None:
        """Execute an event, and record its result."""
        self._world.clock.go_to(happening.at)
        came_of_it = self._unsubscribe() if happening.what == UNSUBSCRIBE else self._enrol(happening)
        self._met.append(Played(at=happening.at, what=happening.what, came_of_it=came_of_it, call_at=happening.call_at))

    def live_until(self, end: datetime | None) -> None:
        """Send every email due before the end, or every remaining one."""
        for _ in range(MOST_STEPS):
            with self._deps.reads() as session:
                due = scratch.next_due(session)
            if due is None or (end is not None and due[1] >= end):
                return
            self._world.clock.go_to(due[1])
            self._send(due[0])
        raise RuntimeError(f"The simulation of {self._script.sequence.name} does not get on.")

    def _enrol(self, happening: Happening) -> str:
        event = Event(happening.what)
        if event in OF_A_CALL:
            self._name_call(event, happening.call_at)
        call = call_of(self._script, event, self._address, self._call, self._call_at, self._deps.now())
        try:
            receipt = enrol(self._deps, call)
        except TooManyEnrolments as fault:
            return str(fault)
        ended = [f"ends {row['sequence']}" for row in receipt.ended]
        started = self._sequence_of(receipt.enrolment_id) if receipt.http_status == 202 else ""
        began = [f"starts {started}"] if started else []
        return "; ".join([*began, *ended, *([receipt.reason] if receipt.reason else [])]) or "changes nothing"

    def _name_call(self, event: Event, call_at: datetime | None) -> None:
        if event is Event.BOOKING or not self._call:
            self._call = f"simulated-{self._address}-{next(self._calls)}"
        self._call_at = call_at or self._call_at or self._deps.now() - MISSED_AGO

    def _sequence_of(self, enrolment_id: UUID | None) -> str:
        with self._deps.reads() as session:
            found = enrolments.find(session, enrolment_id)
        return found.sequence if found else ""

    def _unsubscribe(self) -> str:
        with self._deps.reads() as session:
            contact = contacts.find(session, normalised(self._address))
        if contact is None:
            return "changes nothing"
        unsubscribe(self._deps, contact.unsubscribe_token)
        return "ends all marketing"

    def _send(self, email_id: UUID) -> None:
        deliver(self._deps, [email_id])
        after = self._email(email_id)
        if after.state == State.SENT:
            self._arrive(after)
        elif after.state == State.HELD:
            self._pass_over(email_id)
        elif after.state == State.PLANNED and after.reason:
            self._met.append(_waiting(after, after.reason, self._deps.now()))
        complete(self._deps)

    def _arrive(self, email: Email) -> None:
        report = Report(
            provider_event_id=f"simulated-{email.id}",
            kind="email.delivered",
            at=self._deps.now(),
            resend_id=email.resend_id,
            email_id=email.id,
            detail=None,
        )
        record_event(self._deps, report)

    def _pass_over(self, email_id: UUID) -> None:
        """Record why an email would be held, and skip it, to show what comes after."""
        with self._deps.sessions.begin() as session:
            (email,) = emails.load(session, [email_id])
            self._held[email_id] = email.reason or ""
            emails.move(session, email, State.SKIPPED, self._deps.now(), email.reason)

    def _email(self, email_id: UUID) -> Email:
        with self._deps.reads() as session:
            return emails.load(session, [email_id])[0]

    def calendar(self) -> Iterator[Played]:
        """Yield every event and email of this person."""
        yield from self._met
        with self._deps.reads() as session:
            contact = contacts.find(session, normalised(self._address))
            joined = enrolments.of_contact(session, contact.id) if contact else []
            for enrolment, email in ((each, email) for each in joined for email in each.emails):
                message = messages.latest_of(session, email.id)
                held = email.id in self._held
                yield Played(
                    at=email.sent_at or email.due_at,
                    sequence=enrolment.sequence,
                    step=email.step,
                    template=email.template_key,
                    subject=message.subject if message else "",
                    text=(message.text or "") if message else "",
                    state=State.HELD if held else email.state,
                    reason=email.reason,
                    call_at=enrolment.call_at,
                )
