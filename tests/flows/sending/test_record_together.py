"""Reports that share a transaction leave what they would have left one after the other, whatever they are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import inspect, select

from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_all
from funnel_app.ledger import contacts, email_events, emails, engagements
from funnel_app.ledger.models import Suppression
from funnel_app.ledger.models.outbox import OutgoingEvent
from funnel_app.ledger.outbox import LISTENERS
from funnel_app.rules.emails.clicks import Click
from funnel_app.rules.emails.reports import Report
from tests.flows.leads import email_ids, look, opt_in, write_templates

KINDS = (
    *("email.sent", "email.delivered", "email.opened", "email.clicked") * 3,
    *("email.delivery_delayed", "email.soft_bounced", "email.failed", "email.scheduled"),
    *("email.bounced", "email.complained", "email.suppressed", "email.given_up"),
)
LEADS, REPORTS = 2, 10
# What no two leads share.
IDS = {"id", "contact_id", "enrolment_id", "email_id", "claimed_id", "request_id", "hook_event_id", "event_id"}
OWN = IDS | {
    "lease_token",
    "email",
    "email_norm",
    "address_hash",
    "unsubscribe_token",
    "provider_event_id",
    "resend_id",
    "message_id",
}


def leads(deps, name: str) -> dict[str, list[UUID]]:
    """Enrol people alike, and send some of their emails."""
    found = {f"{name}{n}@resend.dev": [] for n in range(LEADS)}
    for n, address in enumerate(found):
        found[address] = email_ids(opt_in(deps, address))
        deliver(deps, found[address][:n])
    return found


def reports(deps, told: Random, of: list[UUID], name: str) -> Iterator[Report]:
    """Yield reports of emails, some of them twice; the same seed tells the same of others."""
    said: list[Report] = []
    for n in range(REPORTS):
        repeats = said and told.random() < 0.2
        said.append(told.choice(said) if repeats else report(deps, told, told.choice(of), f"{name} {n}"))
        yield said[-1]


def report(deps, told: Random, email_id: UUID, event_id: str) -> Report:
    kind, at = told.choice(KINDS), deps.now() + timedelta(seconds=told.randrange(20))
    link = f"https://example.com/{told.randrange(3)}"
    click = Click(at=at, link=link, ip="192.0.2.1", agent=None) if kind == "email.clicked" else None
    return Report(
        provider_event_id=event_id,
        kind=kind,
        at=at,
        resend_id=told.choice([None, look(deps, email_id).resend_id, f"other {email_id}"]),
        email_id=told.choice([email_id, email_id, None]),
        detail=link if click else told.choice([None, "mailbox is full"]),
        message_id=told.choice([None, f"{email_id}@example.com"]),
        click=click,
    )


def kept(deps, of: dict[str, list[UUID]]) -> list[dict[str, Any]]:
    """Return all that the ledger has of these people, in its order, without what is theirs alone."""
    found: list[Any] = []
    with deps.reads() as session:
        for address, ids in of.items():
            who = contacts.find(session, address)
            mails = sorted(emails.load(session, ids), key=lambda email: email.step)
            timelines = email_events.of_emails(session, [email.id for email in mails])
            found += [who, mails[0].enrolment, *mails, *(each for email in mails for each in timelines[email.id])]
            found += engagements.of_contact(session, who.id)
            found += session.scalars(select(Suppression).where(Suppression.email_norm == address))
            told = select(OutgoingEvent).where(OutgoingEvent.contact_id == who.id)
            found += session.scalars(told.order_by(OutgoingEvent.id))
        return [row(each) for each in found]


def row(kept: Any) -> dict[str, Any]:
    """Return a row of the ledger; of its own ids, only whether there are any."""
    columns = {each.key: getattr(kept, each.key) for each in inspect(kept).mapper.column_attrs}
    facts = {name: value for name, value in (columns.get("facts") or {}).items() if name not in IDS}
    return {name: value is not None if name in OWN else value for name, value in columns.items()} | {"facts": facts}


def test_a_group_is_gathered_in_its_turn_so_that_who_came_meanwhile_belongs_to_it(deps):
    def gather() -> list[Report]:
        with closing(sqlite3.connect(deps.engine.url.database, timeout=0)) as other, pytest.raises(sqlite3.Error):
            other.execute("BEGIN IMMEDIATE")
        return []

    assert record_all(deps, gather) == []


@pytest.mark.parametrize("seed", range(8))
def test_reports_of_one_transaction_end_as_reports_of_several(deps, seed):
    deps.engine.update_execution_options(**{LISTENERS: ("someone",)})
    write_templates(deps)
    ends = []
    for name, at_once in (("together", REPORTS), ("alone", 1)):
        of, told = leads(deps, name), Random(seed)
        said = list(reports(deps, told, [id_ for ids in of.values() for id_ in ids[:2]], name))
        groups = [said[n : n + at_once] for n in range(0, REPORTS, at_once)]
        fresh = [new for group in groups for new in record_all(deps, lambda group=group: group)]
        ends.append([*fresh, *kept(deps, of)])
    for together, alone in zip(*ends, strict=True):
        assert together == alone
