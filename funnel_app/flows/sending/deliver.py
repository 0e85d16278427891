"""Deliver: claim what is due, compose it, freeze it and submit it. An exit committed before the freeze wins.

Three short transactions, whatever the number of emails: claim; freeze and begin; apply the response. Texts are fetched
before the first; rendering and the network stay outside all three.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import into_window
from funnel_app.deps import Deps
from funnel_app.flows.sending.apply_response import apply_response
from funnel_app.flows.sending.eligibility import Forbidden, NotInFiles, forbidden_to, in_files, stop_unwanted
from funnel_app.flows.sending.freeze import freeze
from funnel_app.flows.sending.give_way import without_giving_way
from funnel_app.flows.sending.lease import LEASE, Lease
from funnel_app.flows.sending.sending_status import may_send
from funnel_app.flows.sending.submit import submit
from funnel_app.flows.templates.compose import Composed, Sources, compose, gather
from funnel_app.flows.templates.serving import NotReady
from funnel_app.flows.turn import turn
from funnel_app.gateways.redis.queue import Queues
from funnel_app.ledger import batches, contacts, emails
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email
from funnel_app.ledger.models.types import new_id

# Resend takes up to 100 emails in one call: https://resend.com/docs/api-reference/emails/send-batch-emails
LARGEST_BATCH = 100
LOOK_AGAIN_AFTER = timedelta(seconds=15)


class Outcome(StrEnum):
    """What a call of deliver did."""

    PAUSED = "paused"
    NOTHING_TO_DO = "nothing to do"
    SUBMITTED = "submitted"


def deliver(deps: Deps, email_ids: Sequence[UUID]) -> Outcome:
    """Send up to a hundred of these emails that are free as one request.

    Safe to repeat and to race: only the claimer sends, and only what is due.
    """
    if not may_send(deps):
        return Outcome.PAUSED
    waiting, sources = _gather(deps, email_ids)
    lease = Lease(deps, (), new_id(), deps.now() + LEASE)
    claimed = _claim(deps, waiting, lease)
    _unschedule_others(deps.queues, email_ids, claimed)
    composed = _compose_each(deps, claimed, sources, lease)
    if composed and _submit(deps, composed, lease):
        return Outcome.SUBMITTED
    deps.pause.leave_probe()
    return Outcome.NOTHING_TO_DO


def _gather(deps: Deps, email_ids: Sequence[UUID]) -> tuple[list[UUID], Sources]:
    """Return the waiting emails among these, and what their letters are made of."""
    with deps.reads() as session:
        found = {id_: text for id_, *text in batches.waiting(session, email_ids)}
    sources = gather(deps, {(campaign, key) for campaign, key in found.values()})
    return [email_id for email_id in email_ids if email_id in found], sources


@retry_on_conflict
def _claim(deps: Deps, email_ids: Sequence[UUID], lease: Lease) -> list[Email]:
    if not email_ids:
        return []
    now = deps.now()
    lease.until = now + LEASE
    by = batches.Claim(token=lease.token, now=now, until=lease.until, modes=deps.sendable_modes, most=LARGEST_BATCH)
    with deps.sessions.begin() as session:
        # Contacts are locked first, as in every transaction, so that a hook cannot deadlock with this one.
        contacts.lock_of_emails(session, email_ids)
        won = batches.claim(session, email_ids, by)
        forbidden = forbidden_to(deps.settings, session, won)
        lease.ids = [email.id for email in won]
        wanted = [email for email in won if _goes_on(deps, session, email, now, forbidden)]
        return without_giving_way(deps, session, wanted, now)


def _goes_on(deps: Deps, session: Session, email: Email, now: datetime, forbidden: Forbidden) -> bool:
    try:
        return not (
            stop_unwanted(deps, session, email, now, forbidden) or _wait_for_window(deps.registry, session, email, now)
        )
    except NotInFiles as fault:
        # An email whose campaign was removed must not hold up the others of its batch.
        emails.move(session, email, State.HELD, now, str(fault))
        email.next_attempt_at = now + LOOK_AGAIN_AFTER
        return False


def _wait_for_window(registry: Registry, session: Session, email: Email, now: datetime) -> bool:
    enrolment = email.enrolment
    campaign, sequence = in_files(registry, email)
    window = sequence.window
    if window is None or enrolment.mode == Mode.TEST:
        return False
    opening = into_window(now, window, ZoneInfo(enrolment.contact.timezone or campaign.timezone))
    if opening > now:
        emails.move(session, email, State.PLANNED, now, "waits for the hours in which its sequence sends")
        email.next_attempt_at = opening
    return opening > now


def _unschedule_others(queues: Queues, email_ids: Sequence[UUID], claimed: Sequence[Email]) -> None:
    # Their own jobs have nothing left to do; if this worker dies, the sweep finds the emails.
    if len(email_ids) > 1 and claimed:
        queues.unschedule([email.id for email in claimed])


def _compose_each(deps: Deps, claimed: Sequence[Email], sources: Sources, lease: Lease) -> dict[UUID, Composed]:
    composed = {}
    for email in claimed:
        lease.keep()
        try:
            composed[email.id] = compose(deps, email, sources)
        except NotReady as fault:
            _hold(deps, email, str(fault))
    return composed


@retry_on_conflict
def _hold(deps: Deps, email: Email, reason: str) -> None:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, [email.enrolment.contact_id])
        for still_mine in batches.mine(session, [email.id], email.lease_token):
            emails.move(session, still_mine, State.HELD, now, reason)
            still_mine.next_attempt_at = now + LOOK_AGAIN_AFTER


def _submit(deps: Deps, composed: dict[UUID, Composed], lease: Lease) -> bool:
    """Freeze the letters once it is this worker's turn to call, and make the call; False if none is to go any more."""
    with turn(deps, lease.token, lease.keep) as mine:
        begun = freeze(deps, composed, lease.token) if mine else None
        answer = submit(deps.mailer, begun) if begun else None
    if begun is None or answer is None:
        return False
    apply_response(deps, begun.request_id, answer)
    return True
