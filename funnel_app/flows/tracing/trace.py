"""Trace: a contact's whole history; the sentence on each sequence, what comes or why nothing, is summaries.py's."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up, names
from funnel_app.flows.intake.received_calls import reason_of
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.status.ready import Part, Stop, stops
from funnel_app.flows.receipt import email_as_json, iso
from funnel_app.flows.replies.history import as_row
from funnel_app.flows.sending.eligibility import block_reason
from funnel_app.flows.sending.sending_status import pause_reason, pause_words
from funnel_app.flows.tracing.deeds import deeds_of
from funnel_app.flows.tracing.summaries import DOCTOR_KNOWS, Outlook, Paused, Upcoming, sentence, upcoming
from funnel_app.flows.tracing.timeline import Titles, build_timeline, lines_of_people
from funnel_app.flows.tracing.unknown_addresses import unknown_address
from funnel_app.ledger import (
    contacts,
    email_events,
    enrolments,
    hook_events,
    operator_actions,
    pauses,
    received_emails,
    requests,
    suppressions,
)
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent, Suppression
from funnel_app.rules.contact import earlier_addresses

__all__ = ["sentence", "trace"]

Timeline = dict[Any, list[EmailEvent]]


def trace(deps: Deps, address: str) -> dict[str, Any]:
    """Return the history of an address as plain data, by the contract; `contact` is None if unknown.

    `headline` is the overall state; `suppressions` apply even to an unknown address; `story` is the timeline. Refused
    calls that name the address are among `hooks`, and `done` is what people did; `similar` are known addresses like an
    unknown one.
    """
    # Asked once for both: a hanging Redis costs a third of a second each time.
    found = stops(deps)
    email_norm, waiting, said = looked_up(address), _why_all_waits(deps, found), current_headline(deps, found).sentence
    with deps.reads() as session:
        contact = contacts.find(session, email_norm)
        forbidden = suppressions.of_address(session, email_norm, deps.settings.secret_key)
        refused = hook_events.refused(session, lambda call: names(call.payload, email_norm))
        if contact is None:
            return {
                **unknown_address(session, email_norm, refused),
                "hooks": [_hook(hook) for hook in refused],
                "headline": said,
                "suppressions": _forbidden(forbidden),
            }
        joined = enrolments.of_contact(session, contact.id)
        timeline = email_events.of_emails(session, [email.id for e in joined for email in e.emails])
        hooks = sorted([*hook_events.of_contact(session, contact.id), *refused], key=lambda hook: hook.received_at)
        written = received_emails.of_contact(session, contact.id)
        deeds = deeds_of(contact, operator_actions.of_contact(session, contact.id))
        blocks = {each.id: block_reason(deps.settings, each, contact, forbidden) for each in joined}
        outlook = replace(
            _outlook(deps, session, joined, waiting), blocks=blocks, pauses=_pauses(deps, session, joined)
        )
    titles = Titles(deps.registry.title_of_sequence, deps.registry.title_of_email)
    return {
        "headline": said,
        "contact": _contact(contact),
        "suppressions": _forbidden(forbidden),
        "hooks": [_hook(hook) for hook in hooks],
        "enrolments": [_enrolment(enrolment, timeline, outlook) for enrolment in joined],
        "replies": [as_row(each) for each in written],
        "done": deeds,
        "story": build_timeline(hooks, joined, timeline, forbidden, [*lines_of_people(written, deeds)], titles),
    }


def _pauses(deps: Deps, session: Session, joined: Sequence[Enrolment]) -> dict[UUID, Paused]:
    found = pauses.standing(session, deps.now())
    covered = {enrolment.id: pauses.covering(found, enrolment) for enrolment in joined}
    return {id_: Paused(pause_words(deps, each), each.until_at) for id_, each in covered.items() if each}


def _why_all_waits(deps: Deps, found: Sequence[Stop]) -> str | None:
    away = next((stop.words for stop in found if stop.part is Part.REDIS), None)
    silent = (f"{stop.words} ({DOCTOR_KNOWS})" for stop in found if stop.part is not Part.LEDGER)
    return away or pause_reason(deps) or next(silent, None)


def _outlook(deps: Deps, session: Session, joined: Sequence[Enrolment], waiting: str | None) -> Outlook:
    ids = {email.request_id for enrolment in joined for email in enrolment.emails if email.request_id}
    asked = requests.by_ids(session, ids)
    elsewhere = frozenset(each.id for each in joined if each.mode not in deps.sendable_modes)
    return Outlook(deps.now(), ZoneInfo(deps.settings.timezone), waiting, asked, elsewhere=elsewhere)


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "id": str(contact.id),
        "email": contact.email,
        "first_name": contact.first_name,
        "business_name": contact.business_name,
        "timezone": contact.timezone,
        "created_at": iso(contact.created_at),
        "updated_at": iso(contact.updated_at),
        "earlier_addresses": earlier_addresses(contact),
        "notion_refused": contact.mirror_error,
    }


def _forbidden(found: Sequence[Suppression]) -> list[dict[str, Any]]:
    return [{"scope": str(each.scope), "reason": each.reason, "at": iso(each.created_at)} for each in found]


def _hook(hook: HookEvent) -> dict[str, Any]:
    answer = hook.answer or {}
    return {
        "id": str(hook.id),
        "at": iso(hook.received_at),
        "hook": hook.hook,
        "event": hook.event,
        "source": hook.source,
        "outcome": str(hook.outcome),
        "status": hook.answer_status,
        "reason": reason_of(hook),
        "ended": answer.get("ended", []),
    }


def _enrolment(enrolment: Enrolment, timeline: Timeline, outlook: Outlook) -> dict[str, Any]:
    return {
        "id": str(enrolment.id),
        "hook_id": str(enrolment.hook_event_id) if enrolment.hook_event_id else None,
        "campaign": enrolment.campaign,
        "sequence": enrolment.sequence,
        "state": str(enrolment.state),
        "mode": enrolment.mode,
        "occurrence": enrolment.occurrence or None,
        "call_at": iso(enrolment.call_at) if enrolment.call_at else None,
        "sentence": sentence(enrolment, outlook.now, outlook),
        "next": _next(upcoming(enrolment, outlook)),
        "emails": [_email(email, timeline[email.id]) for email in enrolment.emails],
    }


def _next(coming: Upcoming | None) -> dict[str, Any] | None:
    return {"email": str(coming.email.id), "at": iso(coming.at), "waits": coming.waits} if coming else None


def _email(email: Email, events: Sequence[EmailEvent]) -> dict[str, Any]:
    return {
        **email_as_json(email),
        "since": iso(getattr(email, f"{email.state}_at") or email.due_at),
        "resend_id": email.resend_id,
        "events": [{"at": iso(event.at), "kind": event.kind, "detail": event.detail} for event in events],
    }
