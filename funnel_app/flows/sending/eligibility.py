"""Eligibility: whether an email may still go; checked at the claim, the freeze, each repeat, and while held.

That no step goes before its predecessor is a condition of the claim itself: `claimable` in `ledger/emails.py`.
"""

from collections.abc import Mapping
from collections.abc import Sequence as Rows
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Campaign, Mode, Sequence
from funnel_app.campaigns.plan_text import step_of
from funnel_app.campaigns.reasons import Reason, ReasonCode
from funnel_app.campaigns.recipients import is_test_recipient
from funnel_app.campaigns.registry import Registry, UnknownCampaign
from funnel_app.campaigns.season import not_on
from funnel_app.campaigns.states import State
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.addresses import unmailable
from funnel_app.ledger import emails, suppressions
from funnel_app.ledger.models import Contact, Email, Enrolment, Suppression
from funnel_app.rules.calls.call import IMPORT
from funnel_app.rules.sequences.plan import gave_way, too_late

Forbidden = Mapping[str, Rows[Suppression]]
RELEASE = "flask contacts release lets it be mailed again"
OFF_THE_LIST = "if the address is right: take it off Resend's suppression list, then flask contacts release"
OTHER_ADDRESS = "ask for another address; if this one is right: flask contacts release"
# Where a suppression comes from decides its cure. A person's own wish or complaint stays.
CURES = {
    "keyboard": RELEASE,
    "console": RELEASE,
    IMPORT: "another program's list had it so; if its reader agreed since: flask contacts release",
    "resend:email.bounced": OTHER_ADDRESS,
    "resend:email.suppressed": OFF_THE_LIST,
}


class Block(NamedTuple):
    """Why an email, or all of a sequence, does not go: the state it ends in, the reason, and what to do."""

    state: State
    reason: str
    cure: str
    code: ReasonCode | None = None


class NotInFiles(Exception):
    """The campaign files no longer have an email's sequence or step; the message says which, and what to do."""


def in_files(registry: Registry, email: Email) -> tuple[Campaign, Sequence]:
    """Return the campaign and sequence of an email. Raises NotInFiles."""
    enrolment = email.enrolment
    try:
        campaign = registry.campaign(enrolment.campaign)
        sequence = registry.sequence(campaign.name, enrolment.sequence)
        step_of(sequence, enrolment.plan, email.template_key, email.step)
    except (UnknownCampaign, LookupError):
        name = f"{enrolment.campaign}/{enrolment.sequence}"
        raise NotInFiles(
            f"email {email.step} of {name} is no longer in the campaign files; put it back, or end the sequence"
        ) from None
    return campaign, sequence


def forbidden_to(settings: Settings, session: Session, batch: Rows[Email]) -> Forbidden:
    """Return the suppressions of these emails' recipients, by normalised address."""
    addresses = {email.enrolment.contact.email_norm for email in batch}
    return suppressions.of_addresses(session, addresses, settings.secret_key)


def stop_unwanted(deps: Deps, session: Session, email: Email, now: datetime, forbidden: Forbidden) -> bool:
    """End an email that is no longer wanted; say whether it was one. Raises NotInFiles."""
    stop = why_not(deps, session, email, now, forbidden)
    if stop is not None:
        emails.move(session, email, stop.state, now, Reason(stop.reason, stop.code))
    return stop is not None


def why_not(deps: Deps, session: Session, email: Email, now: datetime, forbidden: Forbidden) -> Block | None:
    """Return the state and reason an email ends with if it must not go now; None if it may. Raises NotInFiles.

    `forbidden` is what `forbidden_to` returned for its batch.
    """
    enrolment, contact = email.enrolment, email.enrolment.contact
    block = block_reason(deps.settings, enrolment, contact, forbidden[contact.email_norm])
    if block is not None:
        return block
    late = _missed(deps.registry, session, email, now)
    return Block(State.SKIPPED, late, "") if late else None


def block_reason(
    settings: Settings, enrolment: Enrolment, contact: Contact, forbidden: Rows[Suppression]
) -> Block | None:
    """Return why no email of a sequence goes to this person, due or not; None if nothing blocks it.

    `forbidden` are all suppressions of the address.
    """
    suppression = suppressions.first_of(forbidden, enrolment.kind)
    if suppression is not None:
        return Block(State.SUPPRESSED, suppression.reason, CURES.get(suppression.source, ""))
    if fault := unmailable(contact.email_norm):
        return Block(State.SKIPPED, fault, "ask for an address that has a mailbox")
    if enrolment.mode == Mode.TEST and not is_test_recipient(contact.email_norm, settings.test_recipients):
        reason = "testing mode: the address is not in TEST_RECIPIENTS"
        cure = "add it there, or set TESTING_MODE=false for those who come from then on"
        return Block(State.SKIPPED, reason, cure, ReasonCode.NO_TEST_RECIPIENT)
    return None


def _missed(registry: Registry, session: Session, email: Email, now: datetime) -> str | None:
    campaign, sequence = in_files(registry, email)
    if late := too_late(email, sequence.max_lateness, now):
        return late
    if email.latest_at and (near := _gave_way(session, email, email.latest_at, now)):
        return near
    enrolment, today = email.enrolment, now.astimezone(ZoneInfo(campaign.timezone)).date()
    step = step_of(sequence, enrolment.plan, email.template_key, email.step)
    return not_on(campaign, step, enrolment.deadline, today, Mode(enrolment.mode))


def _gave_way(session: Session, email: Email, call_at: datetime, now: datetime) -> str | None:
    later = emails.later_planned(session, email)
    return gave_way(email.due_at, later[0].due_at, call_at, now) if later else None
