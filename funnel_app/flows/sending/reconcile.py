"""Reconcile: ask Resend about emails without an event, at growing intervals."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.states import GIVEN_UP, SOFT_BOUNCE, State
from funnel_app.deps import Deps
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.turn import turn
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.mailer import Mailer
from funnel_app.ledger import contacts, email_events, emails
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email
from funnel_app.rules.emails.reports import Report

FIRST_AFTER = timedelta(minutes=3)
SELDOM = timedelta(hours=6)
GIVE_UP_DELAYED_AFTER = timedelta(days=3)
AT_A_TIME = 20
MAY_ONLY_SEND = "restricted_api_key"
# An email that was opened or clicked has arrived.
MEANS = {"opened": "email.delivered", "clicked": "email.delivered", "canceled": "email.failed"}
UNASKABLE = "no word yet, and Resend cannot be asked: RESEND_API_KEY may only send (restricted_api_key)"

log = structlog.get_logger()


class CannotAsk(Exception):
    """Resend cannot be asked now; the message is the reason, for people to read."""


def has_unconfirmed(deps: Deps) -> bool:
    """Say whether there are emails to ask about now."""
    with deps.reads() as session:
        return bool(emails.unconfirmed(session, deps.now(), FIRST_AFTER, 1))


def reconcile(deps: Deps) -> int:
    """Ask Resend about unconfirmed emails and record the answers; return how many it knew more of.

    Safe to repeat and to race. Stops at the first failure, or if the key may only send.
    """
    now = deps.now()
    with deps.reads() as session:
        waiting = emails.load(session, emails.unconfirmed(session, now, FIRST_AFTER, AT_A_TIME))
    learned = 0
    for email in waiting:
        try:
            learned += _ask(deps, email)
        except CannotAsk as fault:
            _note(deps, [each.id for each in waiting], str(fault))
            break
    return learned


def _ask(deps: Deps, email: Email) -> bool:
    with turn(deps, email.id):
        last = _last_event(deps.mailer, email.resend_id or "")
    report = _report(deps, email, last)
    if report is not None and record_event(deps, report) and report.state not in {State.SENT, None}:
        return True
    said = f"Resend says “{last}”" if last else "Resend does not know it: is RESEND_API_KEY of another team?"
    _note(deps, [email.id], f"no word of its delivery yet; asked, {said}")
    return False


def _last_event(mailer: Mailer, resend_id: str) -> str | None:
    # Only Resend's faults are noted: a Redis that is away says nothing of the email.
    try:
        return mailer.last_event(resend_id)
    except Rejected as refused:
        raise CannotAsk(UNASKABLE if refused.code == MAY_ONLY_SEND else f"no word yet, and {refused}") from None
    except Unavailable as away:
        raise CannotAsk(f"no word yet, and {away}") from None


def _report(deps: Deps, email: Email, last: str | None) -> Report | None:
    now = deps.now()
    kind = MEANS.get(last or "", f"email.{last}") if last else None
    detail = None
    if email.state == State.DELAYED and (last == "bounced" or _waited_long(email, now)):
        kind, detail = _given_up(deps.reads, email, kind)
    if kind is None:
        return None
    return Report(
        provider_event_id=f"{email_events.ASKED}{email.resend_id}-{kind}",
        kind=kind,
        at=now,
        resend_id=email.resend_id,
        email_id=email.id,
        detail=detail,
    )


def _waited_long(email: Email, now: datetime) -> bool:
    return email.delayed_at is not None and now - email.delayed_at > GIVE_UP_DELAYED_AFTER


def _given_up(reads: sessionmaker[Session], email: Email, kind: str | None) -> tuple[str | None, str | None]:
    # A transient bounce does not suppress the address, though this email is not tried again.
    with reads() as session:
        events = email_events.of_emails(session, [email.id])[email.id]
    soft = next((event for event in events if event.kind == SOFT_BOUNCE), None)
    if kind == "email.bounced" and soft is not None:
        return GIVEN_UP, soft.detail
    if kind in {"email.delivered", "email.bounced", "email.complained", "email.failed", "email.suppressed"}:
        return kind, None
    return GIVEN_UP, "the recipient's server did not take it for 3 days"


@retry_on_conflict
def _note(deps: Deps, email_ids: list[UUID], reason: str) -> None:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, email_ids)
        for email in emails.load(session, email_ids):
            if email.state in {State.SENT, State.DELAYED}:
                email.checks += 1
                email.next_check_at = now + min(FIRST_AFTER * 2 ** min(email.checks, 10), SELDOM)
                email.reason = reason if email.state == State.SENT else email.reason
    log.info("asked_resend", emails=len(email_ids), answer=reason)
