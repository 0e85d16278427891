"""Compose: make the exact letter from an email's template, variables and envelope; no transaction is open."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from funnel_app.campaigns.model import Kind
from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.faults import report
from funnel_app.flows.addresses import mailable
from funnel_app.flows.templates.recipient import Recipient, booked_calls, facts_of, unsubscribe_url, variables_for
from funnel_app.flows.templates.serving import NotReady, ready_version
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.models import Email, TemplateVersion
from funnel_app.letters.letter import Envelope, Letter
from funnel_app.letters.letter import compose as compose_letter
from funnel_app.letters.render import LetterError, MissingVariable, Parts

log = structlog.get_logger()


@dataclass(frozen=True)
class Composed:
    """A letter, its email as it was when the letter was made, its template version, and when it was made."""

    email: Email
    letter: Letter
    version_id: UUID
    made_at: datetime


@dataclass(frozen=True)
class Sources:
    """What many letters share, read once: templates, or why there is none; bookings."""

    texts: Mapping[str, TemplateVersion | NotReady]
    booked: Mapping[str, int]

    def text(self, key: str) -> TemplateVersion:
        """Return the template version in use; NotReady says why there is none."""
        found = self.texts[key]
        if isinstance(found, NotReady):
            raise found
        return found


def gather(deps: Deps, wanted: Collection[tuple[str, str]]) -> Sources:
    """Read the templates and figures for letters of these campaigns and keys, asking Notion when due.

    Raises GatewayError and LedgerUnavailable.
    """
    texts = {key: _text(deps, key) for _, key in wanted}
    return Sources(texts, {campaign: _booked(deps, campaign) for campaign, _ in wanted})


def _booked(deps: Deps, campaign: str) -> int:
    try:
        return booked_calls(deps, campaign)
    except UnknownCampaign:
        # Its emails are held with that reason, and other campaigns' go on.
        return 0


def _text(deps: Deps, key: str) -> TemplateVersion | NotReady:
    try:
        with unforeseen(f"template {key} cannot be read", "look at its page in Notion"):
            return ready_version(deps, key)
    except NotReady as fault:
        return fault


@contextmanager
def unforeseen(what: str, advice: str) -> Iterator[None]:
    """Turn an unexpected error of one template or lead into NotReady, so that it holds only its own emails."""
    try:
        yield
    except (NotReady, GatewayError, *LedgerUnavailable):
        raise
    except Exception as fault:
        log.error("letter_failed", what=what, exc_info=fault)
        report(fault)
        raise NotReady(f"{what} ({type(fault).__name__}: {fault}); {advice}") from fault


def compose(deps: Deps, email: Email, sources: Sources) -> Composed:
    """Return the letter of an email loaded with enrolment and contact; NotReady says why there is none yet."""
    with unforeseen("its letter cannot be made", "look at the lead's data"):
        return _compose(deps, email, sources)


def _compose(deps: Deps, email: Email, sources: Sources) -> Composed:
    version, made_at = sources.text(email.template_key), deps.now()
    parts = Parts(version.subject, version.ready_html or "", version.ready_text or "")
    try:
        letter = compose_letter(parts, variables_of(deps, email, sources), _envelope(deps.settings, email))
    except MissingVariable as missing:
        raise NotReady(
            f"template {email.template_key} uses {missing.name}, and nothing provides it for this lead"
        ) from None
    except LetterError as fault:
        raise NotReady(f"template {email.template_key} cannot be rendered: {fault}") from None
    return Composed(email, letter, version.id, made_at)


def variables_of(deps: Deps, email: Email, sources: Sources) -> dict[str, object]:
    """Return the value of every variable for this email's template."""
    enrolment = email.enrolment
    contact = enrolment.contact
    return variables_for(
        deps,
        Recipient(
            campaign=deps.registry.campaign(enrolment.campaign),
            contact=facts_of(contact),
            hook=enrolment.variables,
            deadline=enrolment.deadline,
            timezone=contact.timezone,
            unsubscribe_url=unsubscribe_url(deps.settings, contact),
            booked=sources.booked[enrolment.campaign],
        ),
    )


def _envelope(settings: Settings, email: Email) -> Envelope:
    enrolment = email.enrolment
    tags = {
        "email": str(email.id),
        "campaign": enrolment.campaign,
        "sequence": enrolment.sequence,
        "step": str(email.step),
    }
    url = unsubscribe_url(settings, enrolment.contact)
    return envelope_to(settings, enrolment.contact.email, url, marketing=enrolment.kind == Kind.MARKETING, tags=tags)


def envelope_to(settings: Settings, address: str, url: str, *, marketing: bool, tags: Mapping[str, str]) -> Envelope:
    """Return the envelope of a letter to an address, with this unsubscribe link."""
    return Envelope(
        sender=settings.from_email,
        to=mailable(address),
        reply_to=settings.reply_to,
        unsubscribe_url=url,
        company_name=settings.company_name,
        company_address=settings.company_address,
        marketing=marketing,
        tags=tags,
    )
