"""Compose: one email's template, variables and envelope into the exact letter; no transaction is open meanwhile."""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Event, Mode
from funnel_app.campaigns.variables import CampaignFacts, FunnelFacts, values
from funnel_app.deps import Deps
from funnel_app.flows.addresses import mailable
from funnel_app.flows.templates import NotReady, ready_version
from funnel_app.ledger import hook_events
from funnel_app.ledger.models import Contact, Email
from funnel_app.letters.letter import Envelope, Letter
from funnel_app.letters.letter import compose as compose_letter
from funnel_app.letters.render import LetterError, MissingVariable, Parts

BOOKED = (Event.BOOKING,)
GIVEN_UP = (Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED)


@dataclass(frozen=True)
class Composed:
    """A letter and the template version that it was made of."""

    letter: Letter
    version_id: UUID


def compose(deps: Deps, email: Email) -> Composed:
    """Return the letter of an email loaded with its enrolment and contact; NotReady says why there is none yet."""
    version = ready_version(deps, email.template_key)
    parts = Parts(version.subject, version.ready_html or "", version.ready_text or "")
    try:
        letter = compose_letter(parts, variables_of(deps, email), _envelope(deps, email))
    except MissingVariable as missing:
        raise NotReady(
            f"template {email.template_key} uses {missing.name}, and nothing provides it for this lead"
        ) from None
    except LetterError as fault:
        raise NotReady(f"template {email.template_key} cannot be rendered: {fault}") from None
    return Composed(letter, version.id)


def variables_of(deps: Deps, email: Email) -> dict[str, object]:
    """Return the value of every variable that this email's template may use."""
    enrolment, contact = email.enrolment, email.enrolment.contact
    campaign = deps.registry.campaign(enrolment.campaign)
    now = deps.now()
    today = now.astimezone(ZoneInfo(campaign.timezone)).date()
    zone = ZoneInfo(contact.timezone or campaign.timezone)
    with deps.reads() as session:
        booked = hook_events.count_calls(session, campaign.name, BOOKED, Mode.LIVE)
        given_up = hook_events.count_calls(session, campaign.name, GIVEN_UP, Mode.LIVE)
    return values(
        campaign,
        contact={**contact.properties, **_named(contact)},
        hook=enrolment.variables,
        facts=CampaignFacts(deadline=enrolment.deadline, today=today, bookings=booked - given_up, zone=zone),
        funnel=FunnelFacts(
            unsubscribe_url=unsubscribe_url(deps, contact),
            company_name=deps.settings.company_name,
            company_address=deps.settings.company_address,
            current_year=now.year,
            pdf_url=f"{deps.settings.public_url}/assets/christmas-surge-playbook.pdf",
        ),
    )


def unsubscribe_url(deps: Deps, contact: Contact) -> str:
    """Return the address at which this contact leaves, which outlives every secret."""
    return f"{deps.settings.public_url}/u/{contact.unsubscribe_token}"


def _named(contact: Contact) -> dict[str, object]:
    named = {"first_name": contact.first_name, "business_name": contact.business_name, "email": contact.email}
    return {name: value for name, value in named.items() if value}


def _envelope(deps: Deps, email: Email) -> Envelope:
    enrolment, contact, settings = email.enrolment, email.enrolment.contact, deps.settings
    return Envelope(
        sender=settings.from_email,
        to=mailable(contact.email),
        reply_to=settings.reply_to,
        unsubscribe_url=unsubscribe_url(deps, contact),
        company_name=settings.company_name,
        company_address=settings.company_address,
        marketing=enrolment.kind == "marketing",
        tags={
            "email": str(email.id),
            "campaign": enrolment.campaign,
            "sequence": enrolment.sequence,
            "step": str(email.step),
        },
    )
