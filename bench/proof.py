"""A thousand leads with one in ten things going wrong, and what `flask ledger stats` says of them in the end.

`python -m bench.proof [LEADS] [SEED]`: through the real flows over a SQLite ledger, with a mail service that loses
answers, refuses and reports late, twice, in disorder or never; workers that die; templates that break; leads that
leave, book and sign up again. Time is the test's own, so that hours take no time.
"""

import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from bench.failing_mailer import ONE_IN, FailingMailer, WorkerKilled
from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.console.intervene import resolve
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.recheck import recheck_held
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.sending.submit import repeat
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact, Email
from funnel_app.rules.reports import Report
from sandbox.command_line import command_line
from tests.factories import make_deps
from tests.flows.leads import call, write_templates

LONGEST = 600  # rounds


class Play:
    """The leads, the owner, the workers and the clock."""

    def __init__(self, deps: Deps, chance: random.Random, leads: int) -> None:
        self.deps, self.chance, self.leads = deps, chance, leads
        self.mailer: FailingMailer = deps.mailer  # type: ignore[assignment]
        self.killed = 0

    def run(self) -> None:
        """Sign up all leads, and go on until nothing is open."""
        for number in range(self.leads):
            enrol(self.deps, call(f"lead{number}@resend.dev"))
            if number % 50 == 49:
                self.round(seconds=10)
        for turn in range(60):
            self.round(seconds=30)
            if turn % 3 == 0:
                self.lives()

    def finish(self) -> int:
        """Go on until nothing is open, resolving ambiguous emails; return how often that was needed.

        The emails behind one in doubt wait for it, and may come to be in doubt themselves.
        """
        settled = 0
        for _ in range(LONGEST):
            self.round(seconds=300)
            if not self.open():
                doubts = self.settle_doubts()
                if not doubts:
                    return settled
                settled += doubts
        return settled

    def lives(self) -> None:
        """Make one lead in ten act, and the owner break or fix a template."""
        for number in range(self.leads):
            if self.chance.randrange(ONE_IN * 20) == 0:
                self.chance.choice([self.leaves, self.books, self.comes_again])(f"lead{number}@resend.dev")
        key = f"lead_nurture_email_{self.chance.randint(1, 5)}"
        broken = self.mailer.happens()
        self.deps.notebook.write(key, subject="" if broken else f"About {key}")  # type: ignore[attr-defined]

    def leaves(self, address: str) -> None:
        """One lead unsubscribes."""
        with self.deps.reads() as session:
            token = session.query(Contact.unsubscribe_token).filter(Contact.email_norm == address).scalar()
        unsubscribe(self.deps, token)

    def books(self, address: str) -> None:
        """One lead books a call."""
        at = self.deps.now() + timedelta(days=1)
        enrol(self.deps, call(address, Event.BOOKING, occurrence=f"call-of-{address}", call_at=at))

    def comes_again(self, address: str) -> None:
        """One lead's form is sent again."""
        enrol(self.deps, call(address))

    def round(self, **time: float) -> None:
        """Advance the clock; sweep, work and report."""
        self.deps.now.forward(**time)  # type: ignore[attr-defined]
        if self.mailer.happens():
            self.deps.queues.queued.clear()  # type: ignore[attr-defined]
            self.deps.queues.clock.clear()  # type: ignore[attr-defined]
        sweep(self.deps)
        jobs, self.deps.queues.queued = self.deps.queues.queued, []  # type: ignore[attr-defined]
        for name in jobs:
            self.work(name)
        self.report()

    def work(self, name: str) -> None:
        """Run one job as a worker does, or crash in it."""
        kind, _, number = name.partition("-")
        jobs: dict[str, Callable[[], object]] = {
            "email": lambda: self.deliver(UUID(number)),
            "request": lambda: repeat(self.deps, UUID(number)),
            "recheck": lambda: recheck_held(self.deps),
            "reconcile": lambda: reconcile(self.deps),
        }
        try:
            jobs[kind]()
        except WorkerKilled:
            self.killed += 1

    def deliver(self, email_id: UUID) -> None:
        """Send one email alone, or sometimes with all that are due."""
        if self.chance.randrange(5 * ONE_IN) == 0:
            deliver_due(self.deps, email_id)
        else:
            deliver(self.deps, [email_id])

    def report(self) -> None:
        """Let Resend deliver its pending events."""
        reports, self.mailer.waiting = self.mailer.waiting, []
        for event_id, kind, resend_id, email_id in reports:
            record_event(
                self.deps,
                Report(
                    provider_event_id=event_id,
                    kind=kind,
                    at=self.deps.now(),
                    resend_id=resend_id,
                    email_id=UUID(email_id),
                    detail=None,
                ),
            )
            self.mailer.told += 1

    def open(self) -> list[Email]:
        """Return the emails that are not final and do not wait for a person."""
        with self.deps.reads() as session:
            ambiguous = session.query(Email.enrolment_id).filter(Email.state == State.AMBIGUOUS)
            states = (State.PLANNED, State.SENDING, State.SENT, State.HELD, State.DELAYED)
            found = session.query(Email).filter(Email.state.in_(states), Email.enrolment_id.not_in(ambiguous))
            return found.all()

    def settle_doubts(self) -> int:
        """Resolve ambiguous emails as a person does: look each up in Resend, and record it."""
        taken = {
            tag["value"]: resend_id
            for payloads, ids in self.mailer.accepted.values()
            for payload, resend_id in zip(payloads, ids, strict=True)
            for tag in payload["tags"]
            if tag["name"] == "email"
        }
        with self.deps.reads() as session:
            doubtful = [email.id for email in session.query(Email).filter(Email.state == State.AMBIGUOUS)]
        for email_id in doubtful:
            resolve(self.deps, email_id, "delivered" if str(email_id) in taken else "failed")
        return len(doubtful)


def prove(leads: int, seed: int, database_url: str) -> tuple[dict[str, Any], Counter[str], Play]:
    """Run the play; return the ledger's figures, how often each (address, subject) was accepted, and the play."""
    chance = random.Random(seed)
    engine = open_engine(database_url)
    schema.upgrade(engine)
    deps = make_deps(engine)
    object.__setattr__(deps, "mailer", FailingMailer(chance))
    write_templates(deps)
    play = Play(deps, chance, leads)
    play.run()
    doubts = play.finish()
    found = ledger_stats(deps)
    engine.dispose()
    taken = Counter(f"{payload['to'][0]} {payload['subject']}" for payload in play.mailer.sent())
    return {**found, "settled by a person": doubts}, taken, play


def main(leads: int, seed: int) -> int:
    """Print the figures; exit with 1 if an email is unexplained or was sent twice."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        found, taken, play = prove(leads, seed, f"sqlite:///{folder}/funnel.db")
    twice = sum(count - 1 for count in taken.values())
    print(json.dumps(found, indent=2))
    print(
        f"{leads} leads, seed {seed}: {len(play.mailer.calls)} calls to Resend answered, {play.killed} workers killed, "
        f"{play.mailer.told} reports, {sum(taken.values())} emails taken by Resend, {twice} twice"
    )
    return int(bool(found["unexplained"] or found["duplicates"] or twice))


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, leads=1000, seed=1)))
