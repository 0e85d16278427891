"""Leads for tests of flows, in few words."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Event
from funnel_app.deps import Deps
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.templates.serving import ready_version
from funnel_app.ledger import emails, requests
from funnel_app.ledger.models import Email, Request
from funnel_app.ledger.models.base import Base
from funnel_app.rules.calls.call import Call
from funnel_app.rules.sequences.plan import FirstEmail

ASSESSMENT = {"assessment_score": 38.0, "red_systems": 2, "weakest_system_1": "Money"}


class WorkerDied(Exception):
    """A worker was killed at this point: what it had committed stays."""


def die(*_: object) -> None:
    raise WorkerDied


def call(address: str = "ana@resend.dev", event: Event = Event.OPT_IN, **more: Any) -> Call:
    hook = {Event.BOOKING: "booking", Event.ONBOARDING: "onboarding", Event.NO_SHOW: "noshow", Event.MAYBE: "maybe"}
    return Call(
        campaign="christmas",
        hook=hook.get(event, "signup"),
        event=event,
        email=address,
        email_norm=address.lower(),
        **{"contact": {"first_name": "Ana"}, **more},
    )


def opt_in(deps: Deps, address: str = "ana@resend.dev") -> Receipt:
    return enrol(deps, call(address))


def assess(deps: Deps, address: str = "ana@resend.dev", **first: Any) -> Receipt:
    facts = {"first_name": "Ana", **ASSESSMENT}
    return enrol(deps, call(address, Event.ASSESSMENT, contact=facts, first=FirstEmail(**first)))


def write_templates(deps: Deps, html: str = "<p>Hi {{ first_name }}</p>") -> None:
    for key in deps.registry.template_keys():
        deps.notebook.write(key, subject=f"About {key}", html=html)


def read_templates(deps: Deps) -> None:
    """Let the first reading of the texts be over: in a race on a clock that stands, nobody can wait for it."""
    for key in deps.registry.template_keys():
        ready_version(deps, key)


def email_ids(receipt: Receipt) -> list[UUID]:
    return [UUID(email["id"]) for email in receipt.emails]


def look(deps: Deps, email_id: UUID) -> Email:
    """Return an email as the ledger has it now."""
    with deps.reads() as session:
        return emails.load(session, [email_id])[0]


def states(deps: Deps, receipt: Receipt) -> list[str]:
    with deps.reads() as session:
        return [e.state for e in sorted(emails.load(session, email_ids(receipt)), key=lambda e: e.step)]


def request_of(deps: Deps, email_id: UUID) -> Request:
    with deps.reads() as session:
        request_id = look(deps, email_id).request_id
        assert request_id is not None
        return requests.get(session, request_id)


def kinds(events: Iterable[Any]) -> list[str]:
    return [event.kind for event in events]


def email_ids_of(deps: Deps) -> list[UUID]:
    """Return the ids of all emails of the ledger, by step."""
    with deps.reads() as session:
        return list(session.scalars(select(Email.id).order_by(Email.step)))


def count(deps: Deps, model: type[Base]) -> int:
    """Return how many rows a table holds."""
    with deps.reads() as session:
        return rows_in(session, model.__table__)


def count_all(deps: Deps) -> dict[str, int]:
    """Return how many rows each table holds, by its name."""
    with deps.reads() as session:
        return {table.name: rows_in(session, table) for table in Base.metadata.sorted_tables}


def rows_in(session: Session, table: FromClause) -> int:
    return session.scalars(select(func.count()).select_from(table)).one()
