"""Turn each call of a caller into its row in the ledger, its receipt and its log lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.receipt import Receipt, email_as_json
from funnel_app.rules.calls.call import IMPORT, Call
from funnel_app.rules.calls.case import Case
from funnel_app.rules.calls.changes import Change, enrolments_changed
from funnel_app.rules.calls.followers import said_before, said_of_others
from funnel_app.rules.calls.reading import Reading
from funnel_app.rules.calls.take import Taken, take
from funnel_app.rules.facts import EnrolmentFacts, Heard
from funnel_app.rules.ids import new_id
from funnel_app.rules.replaced import replaced
from funnel_app.rules.states import Outcome

log = structlog.get_logger()


@dataclass(frozen=True)
class Answered:
    """One processed call: its row, its answer, the enrolment that it is about, and the emails that it changed.

    `follows` marks a call that nobody made: a calendar's message about all attendees implied it.
    """

    call: Call
    row: dict[str, Any]
    receipt: Receipt
    enrolment: EnrolmentFacts | None
    changes: Sequence[Change]
    follows: bool = False


def answer_all(deps: Deps, found: Reading, calls: Sequence[Call], now: datetime) -> tuple[Reading, list[Answered]]:
    """Process the calls in order, each on the result of the one before, with the calls that each implies."""
    answered = []
    for call in calls:
        before = list(said_before(call, found.whole))
        for each in (*before, call, *said_of_others(call, list(found.contacts.values()), now)):
            found, taken = _answer(deps, found, each, now)
            answered.append(taken if each is call else replace(taken, follows=True))
        found = found.hearing(call, now)
    return found, answered


def _answer(deps: Deps, found: Reading, call: Call, now: datetime) -> tuple[Reading, Answered]:
    case, hook_id = _case(deps, found, call, now), new_id()
    taken = take(case, hook_id)
    row = _hook_row(case, taken)
    receipt = _receipt(case, taken, hook_id)
    answer = {"id": hook_id, "answer_status": receipt.http_status, "answer": receipt.as_json()}
    after = found.with_contact(replaced(taken.contact, heard=(*taken.contact.heard, _heard(row))))
    answered = Answered(call, row | answer, receipt, taken.enrolment, enrolments_changed(found, after))
    counts = case.sequence and taken.decision.outcome == Outcome.ACCEPTED and not call.may_be_many
    return after.counting(call) if counts else after, answered


def _case(deps: Deps, found: Reading, call: Call, now: datetime) -> Case:
    contact = found.contact_of(call, now)
    return Case(
        campaign=deps.registry.campaign(call.campaign),
        others=deps.registry.campaigns,
        contact=contact,
        call=call,
        now=now,
        current_mode=deps.mode,
        interval_seconds=deps.settings.testing_interval_seconds,
        from_caller=found.started.get(call.caller or "", 0),
        for_mailbox=found.started.get(call.mailbox, 0),
    )


def _hook_row(case: Case, taken: Taken) -> dict[str, Any]:
    call = case.call
    return {
        "received_at": case.now,
        "source": call.source,
        "campaign": case.campaign.name,
        "hook": call.hook,
        "handler": case.handler,
        "event": call.event.value,
        "occurrence": call.occurrence,
        "happened_at": case.happening.at,
        "call_at": call.call_at,
        "contact_id": case.contact.id,
        # Starts by calendars and lists do not count towards the limits on forms.
        "caller": None if call.source == IMPORT else call.caller,
        "mailbox": None if call.may_be_many else call.mailbox,
        "dedupe_key": case.dedupe_key(taken.decision.run),
        "idempotency_key": call.idempotency_key,
        "payload": dict(call.payload),
        "outcome": taken.decision.outcome,
        "errors": dict(call.left_out) or None,
        "whole": call.whole.as_json() if call.whole else None,
        "mode": case.mode.value,
    }


def _heard(row: dict[str, Any]) -> Heard:
    known = ("campaign", "event", "occurrence", "outcome", "received_at", "happened_at", "call_at")
    return Heard(**{name: row[name] for name in known})


def _receipt(case: Case, taken: Taken, hook_id: UUID) -> Receipt:
    enrolment = taken.enrolment
    return Receipt(
        status=taken.decision.outcome,
        hook_id=hook_id,
        contact_id=case.contact.id,
        handler=case.handler or "",
        enrolment_id=enrolment.id if enrolment else None,
        ended=[{"sequence": ended.sequence, "reason": ended.exit_reason or ""} for ended in taken.ended],
        emails=[email_as_json(email) for email in enrolment.emails] if enrolment else [],
        reason=taken.decision.reason,
    )


def log_answer(answered: Answered) -> None:
    """Log what became of a call. Call it after the commit, so that the log never reports what was rolled back."""
    for change in answered.changes:
        for _, email in change.moved():
            ids = {"email": str(email.id), "enrolment": str(change.now.id)}
            log.info("email_moved", **ids, state=str(email.state), reason=email.reason)
    log.info(
        "webhook_accepted", name=answered.call.hook, what=answered.call.event.value, **_log_fields(answered.receipt)
    )


def _log_fields(receipt: Receipt) -> dict[str, object]:
    return {
        "hook": str(receipt.hook_id),
        "contact": str(receipt.contact_id),
        "enrolment": str(receipt.enrolment_id) if receipt.enrolment_id else None,
        "emails": [email["id"] for email in receipt.emails],
        "outcome": str(receipt.status),
        "reason": receipt.reason,
    }
