"""Template pages: the state of every template as it was read last, and each as a lead would get it now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns.catalogue import CATALOGUE, Source
from funnel_app.campaigns.model import Campaign, Sequence
from funnel_app.campaigns.timing import deadline_after
from funnel_app.deps import Deps
from funnel_app.flows.compose import compose
from funnel_app.flows.figures import Fares, recent_fares
from funnel_app.flows.templates import NotReady, observe
from funnel_app.ledger import contacts, enrolments, template_versions
from funnel_app.ledger.models import Contact, Email, Enrolment, TemplateVersion
from funnel_app.ledger.types import new_id
from funnel_app.letters.letter import Letter

VERSIONS = 10
NOBODYS = "sample"


@dataclass(frozen=True)
class Listed:
    """One template: where it belongs, what was read last (None: nothing yet), and how it fares."""

    key: str
    sequence: str
    version: TemplateVersion | None
    fares: Fares

    @property
    def status(self) -> str:
        """The word for its state: ok, warning, fault, or unread."""
        if self.version is None:
            return "unread"
        return "fault" if not self.version.good else "warning" if self.version.problems else "ok"


@dataclass(frozen=True)
class Previewed:
    """One template as somebody would get it: the letter, or why none can be made."""

    letter: Letter | None
    fault: str | None
    reader: str


def list_templates(deps: Deps) -> list[Listed]:
    """Return every template of every campaign, in the order of the files; Notion is not asked."""
    with deps.reads() as session:
        latest = template_versions.latest_of_all(session)
    by_key = {row.key: row for row in recent_fares(deps)}
    return [
        Listed(step.template, sequence.name, latest.get(step.template), by_key[step.template])
        for _, sequence, step in deps.registry.steps()
    ]


def versions_of(deps: Deps, key: str) -> list[TemplateVersion]:
    """Return the versions of a template, the newest look first, without their bodies."""
    with deps.reads() as session:
        return template_versions.of_key(session, key, VERSIONS)


def read_again(deps: Deps, key: str) -> None:
    """Read a template from Notion now. Raises Unavailable or Rejected where Notion cannot be asked."""
    observe(deps, key)


def preview(deps: Deps, key: str, address: str | None = None) -> Previewed:
    """Return a template as a lead of this address would get it now, or as a made-up one would."""
    campaign, sequence, number = _place(deps, key)
    email = _email_to(deps, key, sequence, address.strip().lower()) if address else None
    if address and email is None:
        return Previewed(None, f"Nobody with the address {address} ever came in through a hook.", address)
    email = email or _sample(deps, campaign, sequence, number)
    reader = email.enrolment.contact.email
    try:
        return Previewed(compose(deps, email).letter, None, reader)
    except NotReady as fault:
        return Previewed(None, str(fault), reader)


def _place(deps: Deps, key: str) -> tuple[Campaign, Sequence, int]:
    return next((c, s, step.number) for c, s, step in deps.registry.steps() if step.template == key)


def _email_to(deps: Deps, key: str, sequence: Sequence, address: str) -> Email | None:
    with deps.reads() as session:
        contact = contacts.find(session, address)
        joined = enrolments.of_contact(session, contact.id) if contact else []
    if contact is None:
        return None
    run = next((run for run in reversed(joined) if run.sequence == sequence.name), None)
    number = next(step.number for step in sequence.steps if step.template == key)
    made = _enrolment(deps, deps.registry.campaign(sequence.campaign), sequence, contact)
    if run is not None:
        made.variables, made.deadline = run.variables, run.deadline
    return Email(id=new_id(), step=number, template_key=key, enrolment=made)


def _sample(deps: Deps, campaign: Campaign, sequence: Sequence, number: int) -> Email:
    known = _examples(Source.CONTACT)
    contact = Contact(unsubscribe_token=NOBODYS, properties=_examples(Source.ASSESSMENT), **known)
    made = _enrolment(deps, campaign, sequence, contact)
    made.variables = _examples(Source.HOOK)
    return Email(id=new_id(), step=number, template_key=sequence.step(number).template, enrolment=made)


def _enrolment(deps: Deps, campaign: Campaign, sequence: Sequence, contact: Contact) -> Enrolment:
    # Never kept: it only carries what a letter is made of.
    today = deps.now().astimezone(ZoneInfo(campaign.timezone)).date()
    return Enrolment(
        campaign=campaign.name,
        sequence=sequence.name,
        kind=sequence.kind.value,
        deadline=deadline_after(campaign.deadline, today),
        variables={},
        contact=contact,
    )


def _examples(source: Source) -> dict[str, Any]:
    rows: Mapping[str, Any] = {row.name: row for row in CATALOGUE.values() if row.source is source}
    return {name: _typed(row.type, row.example) for name, row in rows.items()}


def _typed(kind: str, text: str) -> object:
    return int(text) if kind == "number" else text
