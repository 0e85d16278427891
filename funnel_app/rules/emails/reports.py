"""Reports: what the provider's events make of an email: they may come late, twice and in any order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from funnel_app.campaigns.reasons import why, without_words
from funnel_app.campaigns.states import REPORTED_BY_PROVIDER, WAITING, State, check, reported
from funnel_app.rules.emails.clicks import Click
from funnel_app.rules.replaced import replaced

SUPPRESSING: Mapping[str, str] = {
    "email.bounced": "the address bounced",
    "email.complained": "its reader marked an email as spam",
    "email.suppressed": "Resend does not mail the address",
}
# Of an earlier try, only its delivery and what it says of the address still count.
OF_THE_ADDRESS = frozenset({State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.SUPPRESSED})


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

    def without_person(self) -> Self:
        """Return it as it may be kept of an erased person: mail servers often quote the address."""
        return replaced(self, detail=None if self.click else without_words(self.detail), click=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEnrolment:
    """Whose email it is, and of which sequence."""

    id: UUID
    contact_id: UUID
    campaign: str
    sequence: str
    mode: str
    email_norm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEmail:
    """What a report looks at and changes in an email; field names are the ledger's columns."""

    id: UUID
    step: int
    template_key: str
    state: State
    reason: str | None
    reason_code: str | None
    resend_id: str | None
    message_id: str | None
    sent_at: datetime | None
    next_check_at: datetime | None
    enrolment: ReportedEnrolment


def take(email: ReportedEmail, report: Report, *, given_up: bool) -> ReportedEmail:
    """Return an email as a report leaves it, only ever further on; `given_up` if the report is of an earlier try."""
    if given_up:
        return _moved(email, report) if report.state in OF_THE_ADDRESS else email
    # Replies refer to the message's id.
    ids = email.resend_id or report.resend_id, email.message_id or report.message_id
    is_known = ids == (email.resend_id, email.message_id)
    return _moved(email if is_known else replaced(email, resend_id=ids[0], message_id=ids[1]), report)


def _moved(email: ReportedEmail, report: Report) -> ReportedEmail:
    new = reported(email.state, report.state) if report.state else email.state
    if new is email.state:
        return email
    check(email.state, new)
    sent_at = email.sent_at
    if new is State.SENT or (email.state in WAITING and sent_at is None):
        # A waiting one seems to have gone out before we last planned it, and may need reconciling.
        sent_at = report.at
    reason = why(new, report.detail)
    return replaced(email, state=new, reason=reason, reason_code=None, sent_at=sent_at, next_check_at=None)


def ends_everything(email: ReportedEmail, report: Report) -> str | None:
    """Return why nothing more may go to an address after its email took this report; None if that is not so."""
    if report.kind not in SUPPRESSING or email.state is not report.state:
        return None
    told = f": {email.reason}" if report.kind == "email.bounced" and email.reason else ""
    return SUPPRESSING[report.kind] + told
