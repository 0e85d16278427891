"""Settle: process a read email: end sequences, notify, and decide on forwarding."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.links import unlinked
from funnel_app.campaigns.model import Event
from funnel_app.campaigns.reasons import on_day
from funnel_app.campaigns.recipients import is_test_recipient
from funnel_app.campaigns.registry import Registry
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.intake.end import end_all
from funnel_app.ledger import enrolments, lead_events, notices, outbox, received_emails
from funnel_app.ledger.models import Contact, Email, Enrolment
from funnel_app.ledger.models.received_emails import Forward, ReceivedEmail
from funnel_app.rules.emails.received_emails import Proof, ReceivedKind
from funnel_app.rules.sequences.exit_words import REASONS

BY_A_PERSON = frozenset({ReceivedKind.REPLY, ReceivedKind.MAYBE_AUTOMATIC})
# Automatic mail to an unknown address may be a booking or a bill.
OF_STRANGERS = BY_A_PERSON | {ReceivedKind.AUTOMATIC}
HOUR = timedelta(hours=1)
# An owner's mailbox takes this much; beyond it only a looping program is affected.
MOST_OF_ONE, MOST_UNVERIFIED = 10, 30
RESTORED = "it came before the ledger was restored from a backup, and may have gone on since: look at Resend"


def settle(deps: Deps, session: Session, row: ReceivedEmail, contact: Contact | None, email: Email | None) -> None:
    """Process an email with its lead locked, exactly once."""
    if row.kind not in (BY_A_PERSON if contact is not None else OF_STRANGERS):
        row.forward = Forward.NONE
        return
    if contact is not None:
        ended = _end(deps, session, contact, row)
        row.ended = [{"campaign": each.campaign, "sequence": each.sequence} for each in ended]
        _publish(session, row, contact, email, deps.now())
        _notify_owner(deps, session, row, contact)
    row.forward, held = _forward(deps.settings, session, row)
    row.note = held or row.note


def _end(deps: Deps, session: Session, contact: Contact, row: ReceivedEmail) -> list[Enrolment]:
    """End the sequences whose file says so; none for an unproven or automatic reply."""
    if row.kind != ReceivedKind.REPLY or row.proof != Proof.REFERENCES:
        return []
    ended = [each for each in enrolments.running(session, contact.id) if _ends_by_reply(deps.registry, each)]
    for each in ended:
        zone = ZoneInfo(deps.registry.campaign(each.campaign).timezone)
        reason = f"{REASONS[Event.REPLY]} {on_day(row.received_at, zone)}"
        end_all(session, [each], reason, deps.now(), Event.REPLY)
    return ended


def _ends_by_reply(registry: Registry, enrolment: Enrolment) -> bool:
    campaign = registry.campaigns.get(enrolment.campaign)
    sequence = campaign.sequences.get(enrolment.sequence) if campaign else None
    return sequence is not None and Event.REPLY in sequence.exits


def _publish(session: Session, row: ReceivedEmail, contact: Contact, email: Email | None, now: datetime) -> None:
    facts: dict[str, Any] = {"email_id": str(email.id), "template": email.template_key} if email else {}
    facts |= {"kind": str(row.kind), "ended": row.ended}
    events = lead_events.replied(contact.id, row.id, str(row.proof), facts, row.received_at)
    outbox.add(session.connection(), events, now)


def _notify_owner(deps: Deps, session: Session, row: ReceivedEmail, contact: Contact) -> None:
    """Queue a notification for the leads' chat, or the alerts'; once, by its key."""
    settings = deps.settings
    channel = notices.chat_of_leads(settings.leads_webhook_url, settings.alert_webhook_url)
    if channel is None or _told_lately(session, row) > MOST_OF_ONE:
        return
    name = contact.name or contact.first_name or "A lead who gave no name"
    words = (
        f"{unlinked(name)} replied; {what_ended(deps.registry, row)} → {settings.public_url}/console/leads/{contact.id}"
    )
    notices.add(session, f"reply:{row.id}:{contact.id}", channel, words, deps.now())


def _told_lately(session: Session, row: ReceivedEmail) -> int:
    return received_emails.count_from(session, row.sender, row.received_at - HOUR)


def what_ended(registry: Registry, row: ReceivedEmail) -> str:
    """Return as a clause what a reply ended, or why nothing."""
    if row.ended:
        titles = [f"“{registry.title_of_sequence(each['campaign'], each['sequence'])}”" for each in row.ended]
        return f"{' and '.join(titles)} ended"
    if row.kind == ReceivedKind.MAYBE_AUTOMATIC:
        return "nothing ended, since its subject is that of an automatic answer"
    if row.proof == Proof.ADDRESS:
        return "nothing ended, since it answers no email of ours and its sender may be forged"
    return "nothing was to be ended"


def why_not_forwarded(settings: Settings) -> str | None:
    """Return which setting prevents forwarding; None if none does."""
    to = settings.reply_forward_to
    if to is None:
        return "REPLY_FORWARD_TO is not set"
    if settings.testing_mode and not is_test_recipient(looked_up(parseaddr(to)[1]), settings.test_recipients):
        return "TESTING_MODE is on, and REPLY_FORWARD_TO is not in TEST_RECIPIENTS"
    return None


def _forward(settings: Settings, session: Session, row: ReceivedEmail) -> tuple[Forward, str | None]:
    """Return whether an email is forwarded, and why if not."""
    if row.forward == Forward.UNSURE:
        return Forward.UNSURE, RESTORED
    if settings.reply_forward_to is None:
        return Forward.NONE, None
    if obstacle := why_not_forwarded(settings):
        return Forward.KEPT, obstacle
    since, proven = row.received_at - HOUR, row.proof == Proof.REFERENCES
    # Forged emails in a lead's name must not use up the lead's limit.
    if received_emails.count_forwarded(session, since, row.sender, proven=proven) >= MOST_OF_ONE:
        return Forward.KEPT, f"{MOST_OF_ONE} of this sender went on within the hour"
    if not proven and received_emails.count_forwarded(session, since, proven=False) >= MOST_UNVERIFIED:
        return Forward.KEPT, f"{MOST_UNVERIFIED} that answer no email of ours went on within the hour"
    return Forward.DUE, None
