"""Preview: the letter that a template makes now for a lead, without sending it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from funnel_app.campaigns.model import Campaign, Kind, Sequence
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.timing import deadline_of
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.templates.compose import envelope_to
from funnel_app.flows.templates.judged_pages import Reading, read_one
from funnel_app.flows.templates.recipient import Recipient, booked_calls, facts_of, unsubscribe_url, variables_for
from funnel_app.flows.templates.samples import sample
from funnel_app.flows.templates.unsent import unsent_words
from funnel_app.ledger import contacts, enrolments
from funnel_app.ledger.models import Contact, Enrolment, TemplateVersion
from funnel_app.letters.letter import Envelope, Letter, compose
from funnel_app.letters.render import LetterError, MissingVariable, Parts
from funnel_app.letters.validation.gate import Problem


class CannotPreview(Exception):
    """The key or lead does not exist; the message says which exist."""


@dataclass(frozen=True)
class Preview:
    """The result for a template: its letter if it makes one, problems, and missing variables."""

    key: str
    letter: Letter | None
    problems: tuple[Problem, ...]
    missing: tuple[str, ...] = ()
    read_as: str = ""

    @property
    def ok(self) -> bool:
        """Whether this recipient would get this letter."""
        return self.letter is not None and not self.missing


def preview(deps: Deps, key: str, *, lead: str | None = None, sample_name: str = "critical") -> Preview:
    """Return the letter that Notion's current text makes for a lead, or for a made-up recipient.

    Raises CannotPreview for an unknown key or lead, and Unavailable or Rejected.
    """
    sequence, recipient = _place_and_recipient(deps, key, lead, sample_name)
    reading = read_one(deps, key)
    made = compose_preview(deps, reading, sequence, recipient, to=str(recipient.contact["email"]))
    return replace(made, problems=(*made.problems, *unsent_words(deps.notebook, reading)))


def preview_version(deps: Deps, version: TemplateVersion, *, lead: str | None, sample_name: str) -> Preview:
    """Return the letter that a stored version makes now; none if validation blocked it.

    Raises CannotPreview as `preview` does. Notion is not asked.
    """
    sequence, recipient = _place_and_recipient(deps, version.key, lead, sample_name)
    if version.ready_html is None:
        return Preview(version.key, None, tuple(Problem(**problem) for problem in version.problems))
    parts = Parts(version.subject, version.ready_html, version.ready_text or "")
    marketing = sequence.kind == Kind.MARKETING
    envelope = envelope_to(
        deps.settings, str(recipient.contact["email"]), recipient.unsubscribe_url, marketing=marketing, tags={}
    )
    return _filled(Preview(version.key, None, ()), parts, variables_for(deps, recipient), envelope)


def _place_and_recipient(deps: Deps, key: str, lead: str | None, sample_name: str) -> tuple[Sequence, Recipient]:
    campaign, sequence = find_place(deps.registry, key)
    if lead:
        return sequence, _lead(deps, campaign, sequence, lead)
    return sequence, sample(deps, campaign, sample_name, deps.registry.find_template(key))


def find_place(registry: Registry, key: str) -> tuple[Campaign, Sequence]:
    """Return a template's campaign and sequence; CannotPreview names similar keys."""
    found = next(((c, s) for c, s, step in registry.steps() if step.template == key), None)
    if found is None:
        near = difflib.get_close_matches(key, registry.template_keys(), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(registry.template_keys())}"
        raise CannotPreview(f"No campaign has a template {key}; {hint}")
    return found


def compose_preview(
    deps: Deps,
    reading: Reading,
    sequence: Sequence,
    recipient: Recipient,
    *,
    to: str,
    tags: Mapping[str, str] | None = None,
) -> Preview:
    """Return the letter of a reading, made like every real letter, with missing values marked."""
    page = reading.page
    if page is None or reading.parts is None or not reading.good:
        return Preview(reading.key, None, reading.problems, read_as=reading.read_as)
    marketing = sequence.kind == Kind.MARKETING
    envelope = envelope_to(deps.settings, to, recipient.unsubscribe_url, marketing=marketing, tags=tags or {})
    without = Preview(reading.key, None, reading.problems, read_as=reading.read_as)
    return _filled(without, reading.parts, variables_for(deps, recipient), envelope)


def _filled(without: Preview, parts: Parts, values: dict[str, object], envelope: Envelope) -> Preview:
    """Return the preview with its letter, each missing value marked."""
    missing: list[str] = []
    while True:
        try:
            letter = compose(parts, values, envelope)
        except MissingVariable as fault:
            if fault.name in missing:
                problem = Problem("not_rendered", f"{fault} It cannot be given one either.", True)
                return replace(without, problems=(*without.problems, problem), missing=tuple(missing))
            missing.append(fault.name)
            values[fault.name] = f"⟦{fault.name}⟧"
        except LetterError as fault:
            problem = Problem("not_rendered", str(fault), True)
            return replace(without, problems=(*without.problems, problem), missing=tuple(missing))
        else:
            return replace(without, letter=letter, missing=tuple(missing))


def _lead(deps: Deps, campaign: Campaign, sequence: Sequence, address: str) -> Recipient:
    with deps.reads() as session:
        contact = contacts.find(session, looked_up(address))
        if contact is None:
            raise CannotPreview(f"Nobody with the address {address} has ever come in")
        joined = [e for e in enrolments.of_contact(session, contact.id) if e.campaign == campaign.name]
    in_sequence = [enrolment for enrolment in joined if enrolment.sequence == sequence.name]
    return _recipient(deps, campaign, contact, in_sequence[-1] if in_sequence else None)


def _recipient(deps: Deps, campaign: Campaign, contact: Contact, enrolment: Enrolment | None) -> Recipient:
    return Recipient(
        campaign=campaign,
        contact=facts_of(contact),
        hook=enrolment.variables if enrolment else {},
        deadline=enrolment.deadline if enrolment else deadline_of(campaign, deps.now().date()),
        timezone=contact.timezone,
        unsubscribe_url=unsubscribe_url(deps.settings, contact),
        booked=booked_calls(deps, campaign.name),
    )
