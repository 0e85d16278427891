"""Leads: contacts as operators search them, page by page, with a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, defer

from funnel_app.campaigns.segments import CRITICAL, CRITICAL_RED, URGENT, URGENT_ORANGE
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import is_canary, of_canary
from funnel_app.ledger.emails import UNDER_WAY, waits_for_earlier
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import is_there, unindexed, written
from funnel_app.ledger.queries.ahead import STUCK
from funnel_app.ledger.queries.search import has_words

TROUBLE = (State.HELD, State.AMBIGUOUS, State.BOUNCED, State.COMPLAINED, State.FAILED, State.SUPPRESSED)
# The condition of the partial index over failures.
IN_TROUBLE = written(Email.state, *TROUBLE)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A filter of leads: words in address or name, sequence, state of an enrolment, and an email's failure.

    A sequence is given by its name, or as `campaign/name`; with `campaign` all of its sequences match. `next` is the
    template of the email that a lead waits for.
    """

    words: str = ""
    sequence: str = ""
    campaign: str = ""
    state: str = ""
    trouble: str = ""
    segment: str = ""
    next: str = ""
    after: UUID | None = None


class NextEmail(NamedTuple):
    """The email that a lead waits for."""

    key: str
    due_at: datetime
    state: State


def get(session: Session, contact_id: UUID) -> Contact:
    """Return a contact; NoResultFound if the id is unknown."""
    return session.scalars(select(Contact).where(Contact.id == contact_id)).one()


def find(session: Session, contact_id: UUID) -> Contact | None:
    """Return a contact; None if the id is unknown."""
    return session.get(Contact, contact_id)


def owner_of_enrolment(session: Session, enrolment_id: UUID) -> UUID:
    """Return an enrolment's contact; NoResultFound if the id is unknown."""
    return session.scalars(select(Enrolment.contact_id).where(Enrolment.id == enrolment_id)).one()


def owners_of_enrolments(session: Session, enrolment_ids: Collection[UUID]) -> list[UUID]:
    """Return the contacts of these enrolments."""
    return list(session.scalars(select(Enrolment.contact_id).where(Enrolment.id.in_(list(enrolment_ids))).distinct()))


def page(session: Session, wanted: Wanted, limit: int) -> list[Contact]:
    """Return the newest matching leads, after the last lead of the previous page.

    Ids are time-ordered, so a page is one index scan, however far down.
    """
    # First only the ids, from a narrow index with the searched words; then the wide rows of this page.
    ids = _matching(session, select(Contact.id), wanted).order_by(Contact.id.desc()).limit(limit)
    rows = select(Contact).where(Contact.id.in_(ids)).options(defer(Contact.consent_text))
    return list(session.scalars(rows.order_by(Contact.id.desc())))


def consented(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return the leads among these with evidence of consent."""
    evidence = or_(Contact.consent_at.is_not(None), Contact.consent_text.is_not(None))
    return set(session.scalars(select(Contact.id).where(Contact.id.in_(list(ids)), evidence)))


def count(session: Session, wanted: Wanted) -> int:
    """Count all matching leads."""
    ids = _matching(session, select(Contact.id), replace(wanted, after=None))
    return session.scalar(select(func.count()).select_from(ids.subquery())) or 0


def _matching(session: Session, ids: Select[UUID], wanted: Wanted) -> Select[UUID]:
    ids = ids.where(~is_canary())
    if wanted.after is not None:
        ids = ids.where(Contact.id < wanted.after)
    if wanted.words:
        ids = ids.where(_has_words(session, wanted.words))
    few = bool(wanted.trouble or wanted.next)
    joined = _joined(wanted, few)
    if joined and few:
        # Each of them is asked: a list of everybody in the sequence would take longer to make.
        ids = ids.where(is_there(select(Enrolment.id).where(Enrolment.contact_id == Contact.id, *joined)))
    elif joined:
        ids = ids.where(Contact.id.in_(select(Enrolment.contact_id).where(*joined)))
    if wanted.trouble:
        in_trouble = select(Enrolment.contact_id).join(Email).where(IN_TROUBLE, Email.state == wanted.trouble)
        ids = ids.where(Contact.id.in_(in_trouble))
    if wanted.segment:
        ids = ids.where(in_segment(wanted.segment))
    if wanted.next:
        upcoming = select(Enrolment.contact_id).join(Email).where(*_is_next(), Email.template_key == wanted.next)
        ids = ids.where(Contact.id.in_(upcoming))
    return ids


def in_segment(name: str) -> ColumnElement[bool]:
    """Return the condition that a lead is in a segment, as `campaigns/segments.py` derives it."""
    red, orange = (Contact.properties[f"{colour}_systems"].as_float() for colour in ("red", "orange"))
    if name == CRITICAL:
        return and_(red >= CRITICAL_RED)
    if name == URGENT:
        return or_(red == 1, and_(red == 0, orange >= URGENT_ORANGE))
    return and_(red == 0, orange < URGENT_ORANGE)


def _is_next() -> tuple[ColumnElement[bool], ...]:
    # One in doubt holds back those behind it, as one that is held.
    waits = Email.state.in_([State.PLANNED, *STUCK])
    return Enrolment.state == EnrolmentState.ACTIVE, waits, ~waits_for_earlier()


def next_emails(session: Session, contact_ids: Collection[UUID]) -> dict[UUID, NextEmail]:
    """Return the next email of each of these leads; others are left out.

    Of several sequences what waits for nobody comes first, then the earliest.
    """
    rows = select(Enrolment.contact_id, Email.template_key, Email.due_at, Email.state).join(Email).where(*_is_next())
    rows = rows.where(Enrolment.contact_id.in_(list(contact_ids)))
    rows = rows.order_by(Email.state == State.PLANNED, Email.due_at.desc())
    return {contact_id: NextEmail(key, due_at, state) for contact_id, key, due_at, state in session.execute(rows)}


def _joined(wanted: Wanted, few: bool) -> list[ColumnElement[bool]]:
    campaign, _, sequence = wanted.sequence.rpartition("/")
    asked = (
        (Enrolment.sequence, sequence),
        (Enrolment.campaign, campaign),
        (Enrolment.campaign, wanted.campaign),
        (Enrolment.state, wanted.state),
    )
    return [(unindexed(column) if few else column) == value for column, value in asked if value]


def _has_words(session: Session, words: str) -> ColumnElement[bool]:
    told: ColumnElement[str] = Contact.email_norm.expression
    for column in (Contact.first_name, Contact.name, Contact.business_name):
        told = told + " " + func.coalesce(column, "")
    return has_words(session, told, words)


@dataclass(frozen=True)
class Running:
    """An enrolment as lists show it."""

    campaign: str
    sequence: str
    state: EnrolmentState
    emails: dict[str, int]
    exit_event: str | None
    exit_reason: str | None


def enrolments_of(session: Session, contact_ids: Collection[UUID]) -> dict[UUID, list[Running]]:
    """Return these leads' enrolments, oldest first, with counts of emails by state."""
    counts: dict[UUID, dict[str, int]] = defaultdict(dict)
    counted = (
        select(Email.enrolment_id, Email.state, func.count())
        .join(Enrolment)
        .where(Enrolment.contact_id.in_(list(contact_ids)))
        .group_by(Email.enrolment_id, Email.state)
    )
    for enrolment_id, state, count in session.execute(counted):
        counts[enrolment_id][str(state)] = count
    found: dict[UUID, list[Running]] = defaultdict(list)
    columns = (Enrolment.id, Enrolment.contact_id, Enrolment.campaign, Enrolment.sequence, Enrolment.state)
    ended = (Enrolment.exit_event, Enrolment.exit_reason)
    rows = select(*columns, *ended).where(Enrolment.contact_id.in_(list(contact_ids))).order_by(Enrolment.id)
    for id_, contact_id, campaign, sequence, stands, *how in session.execute(rows):
        found[contact_id].append(Running(campaign, sequence, stands, counts[id_], *how))
    return found


def hurry_held(session: Session, template_key: str, now: datetime) -> int:
    """Make a template's held emails due for a recheck now; return how many there are."""
    held = update(Email).where(UNDER_WAY, Email.state == State.HELD, Email.template_key == template_key, ~of_canary())
    return len(session.scalars(held.values(next_attempt_at=now).returning(Email.id)).all())
