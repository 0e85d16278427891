"""A business's day for the console's tests and pictures: leads in every state that an operator can meet."""

import pickle
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from funnel_app.campaigns.model import Event
from funnel_app.deps import Deps
from funnel_app.flows.console import operate
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import emails
from funnel_app.ledger.queries import today
from funnel_app.ledger.queries.today import Span
from funnel_app.rules.reports import Report
from tests.factories import make_deps
from tests.flows.leads import ASSESSMENT, call, email_ids, look, write_templates
from tests.once import once_a_run
from tests.sqlite_files import into_one_file, migrated, open_copy

NAMES = (
    ("Ana", "Salon Ana"), ("Béla", "Haarwerk Béla"), ("Chloé", "Atelier Chloé"), ("Dora", "Dora & Daughters"),
    ("Emil", None), ("Fatima", "The Quiet Chair"), ("Gus", "Gus Cuts"), ("Hana", "Studio Hana"),
    ("Ines", "Casa Ines"), ("Jo", "Jo’s"), ("Kei", "Kei Hair Lab"), ("Lena", "Lena Nails and Lashes of Old Toronto"),
)  # fmt: skip
UNCLEAR = Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")


def sign_up(deps: Deps, number: int, event: Event = Event.OPT_IN, **more: Any) -> Receipt:
    """Let one of the people above come in."""
    name, business = NAMES[number % len(NAMES)]
    facts = {"first_name": name, "business_name": business, **(ASSESSMENT if event is Event.ASSESSMENT else {})}
    address = f"delivered+{name.lower().replace('é', 'e')}{number}@resend.dev"
    told = {"contact": {**facts, **more.pop("contact", {})}, "payload": {"email": address, **facts}, **more}
    return enrol(deps, call(address, event, **told))


def report(deps: Deps, email_id: UUID, kind: str = "email.delivered", detail: str | None = None) -> None:
    """Let Resend report of an email."""
    record_event(
        deps,
        Report(
            provider_event_id=f"msg_{uuid4()}",
            kind=kind,
            at=deps.now(),
            resend_id=None,
            email_id=email_id,
            detail=detail,
        ),
    )


def send(
    deps: Deps, receipt: Receipt, steps: int = 1, kind: str | None = "email.delivered", detail: str | None = None
) -> None:
    """Send the first steps of somebody, one each minute, and let Resend report of them."""
    for email_id in email_ids(receipt)[:steps]:
        due_at = look(deps, email_id).due_at
        play_until(deps, due_at - timedelta(seconds=1))
        deps.now.at = max(deps.now(), due_at)
        deliver(deps, [email_id])
        deps.now.forward(seconds=3)
        if kind:
            report(deps, email_id, kind, detail)


def fill(deps: Deps) -> dict[str, Receipt]:
    """Fill a ledger with a day's leads; return those that a test asks for by what happened to them."""
    world = {"delivered": sign_up(deps, 0, contact={"timezone": "Europe/Paris"})}
    send(deps, world["delivered"], 2)
    world["bounced"] = sign_up(deps, 1)
    send(deps, world["bounced"], 1, "email.bounced", "the mailbox does not exist")
    world["client"] = sign_up(deps, 2, Event.ASSESSMENT)
    send(deps, world["client"], 2)
    world["onboarding"] = sign_up(deps, 2, Event.ONBOARDING)
    for number in range(3, 9):
        send(deps, sign_up(deps, number, Event.ASSESSMENT), 1)
    call_at = deps.now() + timedelta(days=4)
    world["booked"] = sign_up(deps, 9, Event.BOOKING, call_at=call_at, occurrence="call-9")
    world["paused"] = sign_up(deps, 10)
    assert world["paused"].enrolment_id
    operate.pause(deps, world["paused"].enrolment_id, "Olga")
    world["ambiguous"] = sign_up(deps, 11)
    deps.mailer.script.append(UNCLEAR)
    deliver(deps, email_ids(world["ambiguous"])[:1])
    world["held"] = hold(deps)
    payload = {"email": "delivered+nadia@resend.dev", "assessment_score": 380}
    refuse(deps, campaign="christmas", hook="signup", payload=payload, errors={"assessment_score": ["0 to 100."]})
    catch_up(deps)
    return world


def enter_day(deps: Deps) -> dict[str, Receipt]:
    """Let all texts be written and the ledger be as `fill` leaves it, made once in a run; return its leads."""
    write_templates(deps)
    if deps.engine.dialect.name != "sqlite":
        return fill(deps)
    kept = once_a_run("day", _live_day)
    with sqlite3.connect(kept / "funnel.db") as filled, deps.engine.connect() as connection:
        filled.backup(connection.connection.driver_connection)  # type: ignore[arg-type]
    return enter_world(deps, kept / "world")


def _live_day(folder: Path) -> None:
    deps = make_deps(open_copy(migrated(), folder / "funnel.db"))
    write_templates(deps)
    keep_world(deps, fill(deps), folder / "world")
    into_one_file(deps.engine)


WHOLE_WAY = (
    (Event.ASSESSMENT, timedelta(days=1, hours=2)),
    (Event.BOOKING, timedelta(days=2, hours=1)),
    (Event.NO_SHOW, timedelta(days=1, hours=3)),
    (Event.ONBOARDING, timedelta(days=1, hours=5)),
)


def go_whole_way(deps: Deps) -> Receipt:
    """Let somebody sign up, be assessed, book, miss the call and buy all the same: five sequences in five days."""
    address = {"email": "delivered+morgan@resend.dev"}
    contact = {"first_name": "Morgan", "name": "Morgan Vance", "business_name": "Vance & Vance Hair", **ASSESSMENT}
    call_at = deps.now() + timedelta(days=4)
    receipt = enrol(deps, call(address["email"], contact=contact, payload=address))
    for event, after in WHOLE_WAY:
        play_until(deps, deps.now() + after)
        about = {"call_at": call_at, "occurrence": "call-m"} if event in {Event.BOOKING, Event.NO_SHOW} else {}
        receipt = enrol(deps, call(address["email"], event, contact=contact, payload=address, **about))
    play_until(deps, deps.now() + timedelta(hours=2))
    return receipt


EIGHT_TIMES = (
    (Event.OPT_IN, "evergreen"), (Event.ASSESSMENT, "evergreen"), (Event.OPT_IN, "christmas"),
    (Event.ASSESSMENT, "christmas"), (Event.BOOKING, "christmas"), (Event.NO_SHOW, "christmas"),
    (Event.MAYBE, "christmas"), (Event.ONBOARDING, "christmas"),
)  # fmt: skip


def come_eight_times(deps: Deps, name: str = "many", *, in_doubt: bool = False) -> UUID:
    """Let somebody come into every sequence of both campaigns within a moment; return who, the same at each call.

    With `in_doubt`, nobody knows whether the first emails went, where they are due within the hour.
    """
    address, contact = f"delivered+{name}@resend.dev", {"first_name": "Bo", "name": "Bo Many", **ASSESSMENT}
    for event, campaign in EIGHT_TIMES:
        meets = event in {Event.BOOKING, Event.NO_SHOW}
        about = {"call_at": deps.now() + timedelta(days=9), "occurrence": f"call-{name}"} if meets else {}
        told = call(address, event, contact=contact, payload={"email": address, "event": event}, **about)
        receipt = enrol(deps, replace(told, campaign=campaign))
        first = email_ids(receipt)[0]
        if in_doubt and look(deps, first).due_at <= deps.now() + timedelta(hours=1):
            deps.now.at = max(deps.now(), look(deps, first).due_at)
            deps.mailer.script.append(UNCLEAR)
            deliver(deps, [first])
    assert receipt.contact_id
    return receipt.contact_id


def catch_up(deps: Deps, kind: str | None = "email.delivered") -> None:
    """Send all that is due now, and let Resend report of it."""
    with deps.reads() as session:
        due = emails.due(session, deps.now(), deps.sendable_modes, 1000)
    for waiting in due:
        deliver(deps, [waiting.id])
        if kind and look(deps, waiting.id).state == "sent":
            report(deps, waiting.id, kind)


def live_days(deps: Deps, days: int = 12, *, trouble: bool = True) -> None:
    """Let days go by, with leads coming in on each, whose emails arrive seconds after they are due; some bounce."""
    for day in range(days):
        for number in range(day, day + 2 + day % 3):
            event = Event.OPT_IN if number % 3 else Event.ASSESSMENT
            receipt = sign_up(deps, 100 + 20 * day + number, event)
            if trouble and number % 11 == 5:
                send(deps, receipt, 1, "email.bounced", "the mailbox does not exist")
            if number % 7 == 6:
                sign_up(deps, 100 + 20 * day + number, Event.ONBOARDING)
            play_until(deps, deps.now() + timedelta(minutes=47))
        play_until(deps, deps.now() + timedelta(hours=22))


def play_until(deps: Deps, end: datetime) -> None:
    """Let the time go on to the next email that is due, and on, as a worker and Resend would."""
    while True:
        with deps.reads() as session:
            waiting = today.next_planned(session, Span(datetime.min.replace(tzinfo=UTC), end, deps.sendable_modes), 1)
        if not waiting:
            break
        deps.now.at = max(deps.now(), waiting[0].due_at)
        deliver(deps, [waiting[0].id])
        deps.now.forward(seconds=1.5)
        report(deps, waiting[0].id)
    deps.now.at = max(deps.now(), end)


def hold(deps: Deps, many: int = 3, first: int = 20) -> Receipt:
    """Let some come in whose first letter cannot be made, and fix the template after them."""
    key = "lead_nurture_email_1"
    good = deps.notebook.pages.pop(key)
    deps.now.forward(minutes=2)
    held = [sign_up(deps, number) for number in range(first, first + many)]
    for receipt in held:
        deliver(deps, email_ids(receipt)[:1])
    deps.notebook.pages[key] = good
    return held[0]


def keep_world(deps: Deps, leads: dict[str, Receipt], file: Path) -> None:
    """Keep what a world is beside its ledger: the time, what Resend and Redis know, and its leads."""
    file.write_bytes(pickle.dumps((deps.now(), deps.mailer.accepted, deps.queues.clock, deps.queues.queue_of, leads)))


def enter_world(deps: Deps, file: Path) -> dict[str, Receipt]:
    """Go on where a kept world stands, over a copy of its ledger; return its leads."""
    leads: dict[str, Receipt]
    deps.now.at, deps.mailer.accepted, deps.queues.clock, deps.queues.queue_of, leads = pickle.loads(file.read_bytes())
    return leads
