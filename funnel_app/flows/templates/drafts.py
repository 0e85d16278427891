"""Drafts: a template as read, with the made-up recipients whose letters it is judged by."""

import hashlib
import json
from collections.abc import Iterator, Mapping

from funnel_app.campaigns.catalogue import CATALOGUE, NAMES, Variable, example_values
from funnel_app.campaigns.own_variables import own_catalogue
from funnel_app.campaigns.registry import Registry
from funnel_app.config import Settings
from funnel_app.flows.templates.starters import LAYOUT
from funnel_app.gateways.notion.templates import Page
from funnel_app.letters.letter import Envelope
from funnel_app.letters.validation.draft import Draft, Sample

READERS: Mapping[str, Mapping[str, object]] = {
    "critical": {"segment": "CRITICAL", "red_systems": 3, "orange_systems": 2},
    "urgent": {"segment": "URGENT", "red_systems": 1, "orange_systems": 3},
    "optimize": {"segment": "OPTIMIZE", "red_systems": 0, "orange_systems": 1},
}


def fingerprint(page: Page, own: Mapping[str, Variable]) -> str:
    """Return a hash that is equal only for equal templates with the same allowed variables."""
    parts = (
        page.subject,
        page.html,
        page.status,
        typed_of(page),
        *(f"{row.name}={row.example}" for row in own.values()),
    )
    return hashlib.sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()


def typed_of(page: Page) -> str:
    """Return typed rich content as one text; empty if there is none."""
    return json.dumps(page.typed, sort_keys=True) if page.typed else ""


def own_of(registry: Registry, key: str) -> Mapping[str, Variable]:
    """Return the own variables of a template's campaign."""
    return next((own_catalogue(campaign) for campaign, _, step in registry.steps() if step.template == key), {})


def draft_of(settings: Settings, page: Page, own: Mapping[str, Variable]) -> Draft:
    """Return the input of validation: text, variables, and a sample of each segment."""
    written = (page.subject, page.html, page.status)
    return Draft(*written, NAMES | set(own), tuple(_samples(settings, own)), page.typed, LAYOUT.read_text("utf-8"))


def _samples(settings: Settings, own: Mapping[str, Variable]) -> Iterator[Sample]:
    examples = {name: _typed(CATALOGUE[name], value) for name, value in example_values().items()}
    examples |= {name: _typed(row, row.example) for name, row in own.items()}
    for name, values in READERS.items():
        yield Sample(name, {**examples, **values}, _envelope(settings, str(examples["unsubscribe_url"])))


def _typed(variable: Variable, value: object) -> object:
    if variable.type != "number":
        return value
    number = float(str(value))
    return int(number) if number.is_integer() else number


def _envelope(settings: Settings, url: str) -> Envelope:
    return Envelope(
        sender=settings.from_email,
        to=str(example_values()["email"]),
        reply_to=settings.reply_to,
        unsubscribe_url=url,
        company_name=settings.company_name,
        company_address=settings.company_address,
        marketing=True,
        tags={},
    )
