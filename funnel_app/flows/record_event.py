"""Record what Resend reports of an email: once per event id, before or after our own record, only ever forward."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import REPORTED_BY_PROVIDER, State, reported
from funnel_app.deps import Deps
from funnel_app.flows.exit import end_all
from funnel_app.ledger import contacts, email_events, emails, enrolments, suppressions
from funnel_app.ledger.models import Email, Scope

log = structlog.get_logger()

SUPPRESSING = {
    State.BOUNCED: "the address bounced for good",
    State.COMPLAINED: "marked as spam by its reader",
    State.SUPPRESSED: "on Resend's suppression list",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """One event of the provider, read from its webhook."""

    provider_event_id: str
    kind: str
    at: datetime
    resend_id: str | None
    email_id: UUID | None
    detail: str | None
    transient: bool = False

    @property
    def state(self) -> State | None:
        """The state that the event speaks of; None for kinds that say nothing about delivery."""
        state = REPORTED_BY_PROVIDER.get(self.kind)
        return State.DELAYED if self.transient and state is State.BOUNCED else state


def record_event(deps: Deps, report: Report) -> bool:
    """Keep a report and move its email forward; False where this very report is already kept."""
    now = deps.now()
    with deps.sessions.begin() as session:
        email_id = _known_email(session, report)
        contacts.lock_of_emails(session, [email_id] if email_id else [])
        if not _keep(session, report, email_id, now):
            return False
        for email in emails.load(session, [email_id] if email_id else []):
            _apply(deps, session, email, report, now)
    log.info("event_recorded", email=str(email_id) if email_id else None, kind=report.kind, resend_id=report.resend_id)
    return True


def _known_email(session: Session, report: Report) -> UUID | None:
    if report.email_id is not None and emails.load(session, [report.email_id]):
        return report.email_id
    return emails.find_by_resend_id(session, report.resend_id) if report.resend_id else None


def _keep(session: Session, report: Report, email_id: UUID | None, now: datetime) -> bool:
    return email_events.add_report(
        session,
        report.provider_event_id,
        email_id=email_id,
        resend_id=report.resend_id,
        kind=report.kind,
        at=report.at,
        now=now,
        detail=report.detail,
    )


def _apply(deps: Deps, session: Session, email: Email, report: Report, now: datetime) -> None:
    email.resend_id = email.resend_id or report.resend_id
    if report.state is None:
        return
    new = reported(State(email.state), report.state)
    if new != email.state:
        emails.move(session, email, new, report.at, report.detail)
        email.enrolment.mirror_stale_since = now
    if report.state in SUPPRESSING and new == report.state:
        _suppress(deps, session, email, report, now)


def _suppress(deps: Deps, session: Session, email: Email, report: Report, now: datetime) -> None:
    contact = email.enrolment.contact
    reason = SUPPRESSING[State(email.state)]
    source, pepper = f"resend:{report.kind}", deps.settings.secret_key
    suppressions.add(session, contact.email_norm, pepper, scope=Scope.ALL, reason=reason, source=source, now=now)
    end_all(session, enrolments.running(session, contact.id), reason, now)
