"""Leads: contacts as operators look for them, page by page, with few queries however many there are."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, defer

from funnel_app.campaigns.segments import CRITICAL, CRITICAL_RED, URGENT, URGENT_ORANGE
from funnel_app.campaigns.states import State
from funnel_app.ledger.base import written
from funnel_app.ledger.canaries import is_canary, of_canary
from funnel_app.ledger.emails import UNDER_WAY, waits_for_earlier
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState
from funnel_app.ledger.search import has_words

TROUBLE = (State.HELD, State.AMBIGUOUS, State.BOUNCED, State.COMPLAINED, State.FAILED, State.SUPPRESSED)
# The condition of the partial index over what went wrong.
IN_TROUBLE = written(Email.state, *TROUBLE)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which leads: words in the address or a name, a sequence, the state of an enrolment, and an email's trouble.

    A sequence is told by its name, or as `campaign/name`; with a `campaign` all of its sequences are meant. `next` is
    the key of an email that is the next of a sequence.
    """

    words: str = ""
    sequence: str = ""
    campaign: str = ""
    state: str = ""
    trouble: str = ""
    segment: str = ""
    next: str = ""
    after: UUID | None = None


def get(session: Session, contact_id: UUID) -> Contact:
    """Return a contact; NoResultFound where there is none."""
    return session.scalars(select(Contact).where(Contact.id == contact_id)).one()


def find(session: Session, contact_id: UUID) -> Contact | None:
    """Return a contact; None where there is none of that id."""
    return session.get(Contact, contact_id)


def owner_of_enrolment(session: Session, enrolment_id: UUID) -> UUID:
    """Return whose enrolment it is; NoResultFound where there is none."""
    return session.scalars(select(Enrolment.contact_id).where(Enrolment.id == enrolment_id)).one()


def owners_of_enrolments(session: Session, enrolment_ids: Collection[UUID]) -> list[UUID]:
    """Return whose these enrolments are."""
    return list(session.scalars(select(Enrolment.contact_id).where(Enrolment.id.in_(list(enrolment_ids))).distinct()))


def page(session: Session, wanted: Wanted, limit: int) -> list[Contact]:
    """Return the newest leads that are wanted, after a lead where a page before ended with it.

    The ids are time-ordered, so that a page is one walk along an index, however far down it is.
    """
    # First the ids alone, which a narrow index has together with the words; then the wide rows of this page only.
    ids = _matching(session, select(Contact.id), wanted).order_by(Contact.id.desc()).limit(limit)
    rows = select(Contact).where(Contact.id.in_(ids)).options(defer(Contact.consent_text))
    return list(session.scalars(rows.order_by(Contact.id.desc())))


def consented(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return those of these leads of whom there is evidence that they agreed to be mailed."""
    evidence = or_(Contact.consent_at.is_not(None), Contact.consent_text.is_not(None))
    return set(session.scalars(select(Contact.id).where(Contact.id.in_(list(ids)), evidence)))


def count(session: Session, wanted: Wanted) -> int:
    """Count all leads that are wanted, on whichever page they stand."""
    ids = _matching(session, select(Contact.id), replace(wanted, after=None))
    return session.scalar(select(func.count()).select_from(ids.subquery())) or 0


def _matching(session: Session, ids: Select[UUID], wanted: Wanted) -> Select[UUID]:
    ids = ids.where(~is_canary())
    if wanted.after is not None:
        ids = ids.where(Contact.id < wanted.after)
    if wanted.words:
        ids = ids.where(_has_words(session, wanted.words))
    joined = _joined(wanted)
    if joined:
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
    """Return what holds for leads of a segment, as `campaigns/segments.py` makes it of what they answered."""
    red, orange = (Contact.properties[f"{colour}_systems"].as_float() for colour in ("red", "orange"))
    if name == CRITICAL:
        return and_(red >= CRITICAL_RED)
    if name == URGENT:
        return or_(red == 1, and_(red == 0, orange >= URGENT_ORANGE))
    return and_(red == 0, orange < URGENT_ORANGE)


def _is_next() -> tuple[ColumnElement[bool], ...]:
    waits = Email.state.in_([State.PLANNED, State.HELD])
    return Enrolment.state == EnrolmentState.ACTIVE, waits, ~waits_for_earlier()


def next_emails(session: Session, contact_ids: Collection[UUID]) -> dict[UUID, tuple[str, datetime]]:
    """Return the email that goes next to each of these leads, by its key, and when it is due; none goes to others."""
    rows = select(Enrolment.contact_id, Email.template_key, Email.due_at).join(Email).where(*_is_next())
    rows = rows.where(Enrolment.contact_id.in_(list(contact_ids))).order_by(Email.due_at.desc())
    return {contact_id: (key, due_at) for contact_id, key, due_at in session.execute(rows)}


def _joined(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.sequence:
        campaign, _, name = wanted.sequence.rpartition("/")
        conditions.append(Enrolment.sequence == name)
        conditions += [Enrolment.campaign == campaign] if campaign else []
    if wanted.campaign:
        conditions.append(Enrolment.campaign == wanted.campaign)
    if wanted.state:
        conditions.append(Enrolment.state == wanted.state)
    return conditions


def _has_words(session: Session, words: str) -> ColumnElement[bool]:
    told: ColumnElement[str] = Contact.email_norm.expression
    for column in (Contact.first_name, Contact.name, Contact.business_name):
        told = told + " " + func.coalesce(column, "")
    return has_words(session, told, words)


@dataclass(frozen=True)
class Running:
    """One enrolment of a lead, as lists show it."""

    campaign: str
    sequence: str
    state: EnrolmentState
    emails: dict[str, int]
    exit_event: str | None
    exit_reason: str | None


def enrolments_of(session: Session, contact_ids: Collection[UUID]) -> dict[UUID, list[Running]]:
    """Return the enrolments of these leads, oldest first, with how many emails of each are in which state."""
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
    """Let the held emails of a template be looked at again at once; return how many there are."""
    held = update(Email).where(UNDER_WAY, Email.state == State.HELD, Email.template_key == template_key, ~of_canary())
    return len(session.scalars(held.values(next_attempt_at=now).returning(Email.id)).all())
