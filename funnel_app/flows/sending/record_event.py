"""Record Resend's events: once per event id, before or after our own record, only ever forward."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns.reasons import why, without_words
from funnel_app.campaigns.states import OPENED, REPORTED_BY_PROVIDER, WAITING, State, reported
from funnel_app.deps import Deps
from funnel_app.flows.intake.end import end_all
from funnel_app.flows.sending.record_click import record_click, record_opening
from funnel_app.ledger import contacts, email_events, emails, enrolments, suppressions
from funnel_app.ledger.after_commit import log_after_commit
from funnel_app.ledger.at_once import write_at_once
from funnel_app.ledger.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, EmailEvent, Scope
from funnel_app.ledger.turns import take_turns
from funnel_app.rules.clicks import Click

SUPPRESSING = {
    "email.bounced": "the address bounced",
    "email.complained": "its reader marked an email as spam",
    "email.suppressed": "Resend does not mail the address",
}
# Of an earlier try, only its delivery and what it says of the address still count.
OF_THE_ADDRESS = frozenset({State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.SUPPRESSED})
ORPHANS_KEPT_FOR = timedelta(days=1)
AT_A_TIME = 500


@dataclass(frozen=True, kw_only=True)
class Report:
    """One event of the provider, from its webhook or asked for; `detail` is the reason in the provider's words."""

    provider_event_id: str
    kind: str
    at: datetime
    resend_id: str | None
    email_id: UUID | None
    detail: str | None
    message_id: str | None = None
    click: Click | None = None

    @property
    def state(self) -> State | None:
        """The state that the event implies; None for kinds that say nothing about delivery."""
        return REPORTED_BY_PROVIDER.get(self.kind)


def record_event(deps: Deps, report: Report) -> bool:
    """Store an event and move its email forward; False if this event is already stored.

    Simultaneous events share one turn to write where writers queue, so that a burst of them does not hold up hooks.
    """
    if take_turns(deps.engine):
        return deps.events.run(report, lambda gather: _record_all(deps, gather))
    return _record_all(deps, lambda: [report])[0]


@retry_on_conflict
def _record_all(deps: Deps, gather: Callable[[], Sequence[Report]]) -> list[bool]:
    with deps.sessions.begin() as session:
        now, reports = deps.now(), gather()
        known = _locked(session, {report.email_id for report in reports if report.email_id})
        fresh = [_record(deps, session, report, known, now) for report in reports]
        write_at_once(session)
        return fresh


def _record(deps: Deps, session: Session, report: Report, known: dict[UUID, Email], now: datetime) -> bool:
    email = _concerned(session, report, known)
    kept = _without_person(report) if email and _is_erased(email) else report
    if not _keep(session, kept, email.id if email else None, now):
        return False
    if email:
        apply(deps, session, email, kept, now)
        _record_engagement(deps, session, email, kept)
    ids = {"email": str(email.id) if email else None, "resend_id": report.resend_id}
    log_after_commit(session, "event_recorded", **ids, kind=report.kind)
    return True


def _record_engagement(deps: Deps, session: Session, email: Email, report: Report) -> None:
    if report.kind == OPENED:
        record_opening(session, email, report.provider_event_id, report.at)
    elif report.click is not None:
        record_click(deps, session, email, report.provider_event_id, report.click)


def _is_erased(email: Email) -> bool:
    return contacts.is_erased(email.enrolment.contact)


def _without_person(report: Report) -> Report:
    # Mail servers often quote the address, which must not come back after an erasure.
    return replace(report, detail=None if report.click else without_words(report.detail), click=None)


def _concerned(session: Session, report: Report, known: dict[UUID, Email]) -> Email | None:
    """Return the email that an event is about, with its contact locked; None if it is not known yet.

    `known` are the emails that are locked already.
    """
    if report.email_id in known:
        return known[report.email_id]
    found = emails.find_by_resend_id(session, report.resend_id) if report.resend_id is not None else None
    if found is not None and found not in known:
        known |= _locked(session, {found})
    return known[found] if found is not None else None


def _locked(session: Session, ids: Collection[UUID]) -> dict[UUID, Email]:
    if not ids:
        return {}
    contacts.lock_of_emails(session, ids)
    return {email.id: email for email in emails.load(session, ids)}


def _keep(session: Session, report: Report, email_id: UUID | None, now: datetime) -> bool:
    row = {
        "email_id": email_id,
        "claimed_id": report.email_id,
        "resend_id": report.resend_id,
        "kind": report.kind,
        "at": report.at,
        "recorded_at": now,
        "detail": report.detail,
    }
    return email_events.add_report(session, report.provider_event_id, row)


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
        contacts.lock_of_emails(session, [email_id for _, email_id in found])
        for event, email_id in found:
            event.email_id = email_id
            for email in emails.load(session, [email_id]):
                event.detail = without_words(event.detail) if _is_erased(email) else event.detail
                apply(deps, session, email, _as_report(event), now)
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


def apply(deps: Deps, session: Session, email: Email, report: Report, now: datetime) -> None:
    """Move an email of a locked contact forward by an event, and stop what must stop."""
    given_up = _is_of_given_up_try(session, email, report)
    email.resend_id = email.resend_id or (None if given_up else report.resend_id)
    if not given_up:
        # Replies refer to this id.
        email.message_id = email.message_id or report.message_id
    if report.state is None or (given_up and report.state not in OF_THE_ADDRESS):
        return
    new = reported(State(email.state), report.state)
    if new != email.state:
        if email.state in WAITING:
            # It seems to have gone out before we last planned it, and may need reconciling.
            email.sent_at = email.sent_at or report.at
        emails.move(session, email, new, report.at, why(report.state, report.detail), heard_at=now)
        email.next_check_at = None
    if report.kind in SUPPRESSING and new == report.state and not _is_erased(email):
        _suppress(deps, session, email, report, now)


def _is_of_given_up_try(session: Session, email: Email, report: Report) -> bool:
    # Most events carry the current try's id, and need no look at the timeline.
    if report.resend_id is None or report.resend_id == email.resend_id:
        return False
    return email_events.was_given_up(session, email.id, report.resend_id)


def _suppress(deps: Deps, session: Session, email: Email, report: Report, now: datetime) -> None:
    contact = email.enrolment.contact
    reason = SUPPRESSING[report.kind] + (f": {email.reason}" if report.kind == "email.bounced" and email.reason else "")
    source, pepper = f"resend:{report.kind}", deps.settings.secret_key
    suppressions.add(session, contact.email_norm, pepper, scope=Scope.ALL, reason=reason, source=source, now=now)
    end_all(session, enrolments.running(session, contact.id), reason, now)
