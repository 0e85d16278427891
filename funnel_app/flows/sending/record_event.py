"""Record Resend's events: once per event id, before or after our own record, only ever forward."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import OPENED
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.intake.end import end_all
from funnel_app.flows.sending.record_click import record_click, record_opening
from funnel_app.ledger import contacts, email_events, enrolments, messages, suppressions
from funnel_app.ledger.database.after_commit import log_after_commit
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.database.turns import take_turns
from funnel_app.ledger.models import EmailEvent, Scope
from funnel_app.ledger.reported import ReportedEmails
from funnel_app.rules.emails.reports import Report, ReportedEmail, ends_everything, take

ORPHANS_KEPT_FOR = timedelta(days=1)
AT_A_TIME = 500


def record_event(deps: Deps, report: Report) -> bool:
    """Store an event and move its email forward; False if this event is already stored.

    Simultaneous events share one turn to write where writers queue, so that a burst of them does not hold up hooks.
    """
    if take_turns(deps.engine):
        return deps.events.run(report, lambda gather: record_all(deps, gather))
    return record_all(deps, lambda: [report])[0]


@retry_on_conflict
def record_all(deps: Deps, gather: Callable[[], Sequence[Report]]) -> list[bool]:
    """Store events in one transaction, in their order, as if each came alone; say of each whether it is new."""
    with deps.sessions.begin() as session:
        # Takes the turn, so that whoever comes while we wait for it joins.
        session.connection()
        known, reports = ReportedEmails(session, deps.now()), gather()
        known.lock({report.email_id for report in reports if report.email_id})
        fresh = [_record(deps, known, report) for report in reports]
        known.write()
        return fresh


def _record(deps: Deps, known: ReportedEmails, report: Report) -> bool:
    email = known.find(report.email_id, report.resend_id)
    kept = _as_kept(report, email)
    if not _keep(known, kept, email):
        return False
    if email:
        _apply(deps.settings, known, email, kept)
        _record_engagement(deps, known.session, email, kept)
    ids = {"email": str(email.id) if email else None, "resend_id": report.resend_id}
    log_after_commit(known.session, "event_recorded", **ids, kind=report.kind)
    return True


def _as_kept(report: Report, email: ReportedEmail | None) -> Report:
    # What an erased person's report quotes must not come back.
    return report.without_person() if email and contacts.is_erased(email.enrolment) else report


def _keep(known: ReportedEmails, report: Report, email: ReportedEmail | None) -> bool:
    row = {
        "email_id": email.id if email else None,
        "claimed_id": report.email_id,
        "resend_id": report.resend_id,
        "kind": report.kind,
        "at": report.at,
        "recorded_at": known.now,
        "detail": report.detail,
    }
    return email_events.add_report(known.connection, report.provider_event_id, row)


def _record_engagement(deps: Deps, session: Session, email: ReportedEmail, report: Report) -> None:
    if report.kind == OPENED:
        record_opening(session, email, report.provider_event_id, report.at)
    elif report.click is not None:
        record_click(deps, session, email, report.provider_event_id, report.click)


def _apply(settings: Settings, known: ReportedEmails, email: ReportedEmail, report: Report) -> None:
    """Move a locked email forward by a report, and stop what must stop."""
    moved = take(email, report, given_up=_is_of_given_up_try(known.connection, email, report))
    known.change(moved, report.at)
    reason = ends_everything(moved, report)
    if reason is not None and not contacts.is_erased(email.enrolment):
        known.write()
        _suppress(settings, known, email, reason, f"resend:{report.kind}")
        known.read_again(email.enrolment.contact_id)


def _is_of_given_up_try(connection: Connection, email: ReportedEmail, report: Report) -> bool:
    # Most events carry the current try's id, and need no look at the timeline.
    if report.resend_id is None or report.resend_id == email.resend_id:
        return False
    return email_events.was_given_up(connection, email.id, report.resend_id)


def _suppress(settings: Settings, known: ReportedEmails, email: ReportedEmail, reason: str, source: str) -> None:
    session, now, whose = known.session, known.now, email.enrolment
    went_to = messages.latest_recipient(session, email.id)
    address = looked_up(went_to) if went_to else whose.email_norm
    suppressions.add(session, address, settings.secret_key, scope=Scope.ALL, reason=reason, source=source, now=now)
    # Of an address that was corrected since, it says nothing of the new one.
    if address == whose.email_norm:
        end_all(session, enrolments.running(session, whose.contact_id), reason, now)


@retry_on_conflict
def adopt_orphans(deps: Deps) -> int:
    """Apply events that came before their email was known; return how many. Safe to repeat."""
    now = deps.now()
    with deps.reads() as session:
        waiting = [event.id for event, _ in email_events.orphans_of_known(session, now - ORPHANS_KEPT_FOR, AT_A_TIME)]
    if not waiting:
        return 0
    with deps.sessions.begin() as session:
        found = email_events.orphans_of_known(session, now - ORPHANS_KEPT_FOR, AT_A_TIME)
        known = ReportedEmails(session, now)
        known.lock({email_id for _, email_id in found})
        for event, email_id in found:
            event.email_id = email_id
            if email := known.find(email_id, None):
                report = _as_kept(_as_report(event), email)
                event.detail = report.detail
                _apply(deps.settings, known, email, report)
        known.write()
        return len(found)


def _as_report(event: EmailEvent) -> Report:
    return Report(
        provider_event_id=event.provider_event_id or "",
        kind=event.kind,
        at=event.at,
        resend_id=event.resend_id,
        email_id=event.email_id,
        detail=event.detail,
    )
