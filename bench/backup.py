"""How long a backup and a restore of a big ledger take, and how large it is, while hooks go on coming in.

`python -m bench.backup [ENROLMENTS]`: five emails each, the first of them delivered, with its text and its events.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, insert

from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.backup import backup
from funnel_app.flows.maintenance.restore import restore
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Base, Contact, Email, EmailEvent, Enrolment, Message, Request
from funnel_app.ledger.models.types import new_id
from sandbox.command_line import command_line
from tests.factories import make_deps
from tests.flows.leads import call

AT_A_TIME = 2000
BODY_WORDS = 400
WORDS = [f"{word}{n}" for n in range(60) for word in ("lead", "call", "growth", "team", "money", "week")]
NOW = datetime.now(UTC).replace(microsecond=0)


def main(enrolments: int) -> int:
    """Print the figures; exit with 1 if the restored ledger lacks rows of the backup."""
    with tempfile.TemporaryDirectory(prefix="funnel-bench-") as name:
        folder = Path(name)
        engine = open_engine(f"sqlite:///{folder}/ledger.db")
        schema.upgrade(engine)
        fill(engine, enrolments)
        deps = make_deps(engine)
        object.__setattr__(deps, "now", lambda: datetime.now(UTC))
        stop, slowest = Event(), [0.0]
        website = Thread(target=hooks, args=(deps, stop, slowest))
        website.start()
        began = time.monotonic()
        made = backup(deps, folder)
        took = time.monotonic() - began
        stop.set()
        website.join()
        size = (folder / "ledger.db").stat().st_size
        print(f"{enrolments} enrolments, {made.rows['emails']} emails: the ledger has {size / 1e6:.0f} MB")
        print(f"backup, verified: {took:.1f} s, {made.bytes / 1e6:.0f} MB; slowest hook meanwhile {slowest[0]:.2f} s")
        new = make_deps(open_engine(f"sqlite:///{folder}/restored.db"))
        began = time.monotonic()
        done = restore(new, Path(made.file))
        print(f"restore: {time.monotonic() - began:.1f} s, {done.held} emails wait for proof or a person")
        return 0 if done.rows == made.rows else 1


def hooks(deps: Any, stop: Event, slowest: list[float]) -> None:
    """Sign leads up until stopped; keep the slowest time."""
    number = 0
    while not stop.wait(0.05):
        began = time.monotonic()
        enrol(deps, call(f"late{number}@resend.dev"))
        slowest[0] = max(slowest[0], time.monotonic() - began)
        number += 1


def fill(engine: Engine, enrolments: int) -> None:
    """Write this many leads with all their rows, in few statements."""
    people = (person(number) for number in range(enrolments))
    tables = (Contact, Enrolment, Request, Email, Message, EmailEvent)
    while part := list(islice(people, AT_A_TIME)):
        with engine.begin() as connection:
            for model in tables:
                rows = [row for one in part for row in one[model]]
                connection.execute(insert(model), rows)


def person(number: int) -> dict[type[Base], list[dict[str, Any]]]:
    """Return one lead's rows by table."""
    contact, enrolment, request = new_id(), new_id(), new_id()
    emails = [_email(step, enrolment, request) for step in range(1, 6)]
    first = emails[0]["id"]
    told = [(email["id"], "planned") for email in emails] + [(first, kind) for kind in ("sending", "sent", "delivered")]
    return {
        Contact: [_contact(contact, number)],
        Enrolment: [_enrolment(enrolment, contact)],
        Request: [_request(request, first)],
        Email: emails,
        Message: [_message(first, request, number)],
        EmailEvent: [{"email_id": email, "kind": kind, "at": NOW, "recorded_at": NOW} for email, kind in told],
    }


def _contact(contact: UUID, number: int) -> dict[str, Any]:
    address = f"lead{number}@client.example"
    names = {"email": address, "email_norm": address, "first_name": "Ana", "unsubscribe_token": f"token-{number}"}
    return {"id": contact, "properties": {}, "created_at": NOW, "updated_at": NOW, **names}


def _enrolment(enrolment: UUID, contact: UUID) -> dict[str, Any]:
    what = {"campaign": "christmas", "sequence": "lead_nurture", "mode": "live", "kind": "marketing", "state": "active"}
    when = {"anchor_at": NOW, "deadline": NOW.date(), "created_at": NOW}
    return {"id": enrolment, "contact_id": contact, "variables": {"first_name": "Ana"}, **what, **when}


def _request(request: UUID, email: UUID) -> dict[str, Any]:
    known = {"idempotency_key": f"email-{email}-1", "email_ids": [str(email)], "state": "answered"}
    return {"id": request, "created_at": NOW, "answered_at": NOW, **known}


def _message(email: UUID, request: UUID, number: int) -> dict[str, Any]:
    random = Random(number)
    words = " ".join(random.choice(WORDS) for _ in range(BODY_WORDS))
    parts = {"subject": "Your assessment", "html": f"<p>{words}</p>", "text": words, "headers": {}, "tags": {}}
    people = {"sender": "hello@mail.businessx.example", "recipient": f"lead{number}@client.example"}
    return {"email_id": email, "request_id": request, "freeze": 1, "created_at": NOW, **parts, **people}


def _email(step: int, enrolment: UUID, request: UUID) -> dict[str, Any]:
    done = step == 1
    at = NOW if done else None
    return {
        "id": new_id(),
        "enrolment_id": enrolment,
        "request_id": request if done else None,
        "step": step,
        "template_key": f"lead_nurture_email_{step}",
        "due_at": NOW + timedelta(days=step - 1),
        "state": "delivered" if done else "planned",
        "freezes": int(done),
        "planned_at": NOW,
        "sent_at": at,
        "delivered_at": at,
    }


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, enrolments=100_000)))
