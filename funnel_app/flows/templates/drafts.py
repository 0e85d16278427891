"""Drafts: a template as it was read, with the made-up readers by whose letters it is judged."""

import hashlib
import json
from collections.abc import Iterator, Mapping

from funnel_app.campaigns.catalogue import CATALOGUE, NAMES, example_values
from funnel_app.deps import Deps
from funnel_app.flows.templates.starters import LAYOUT
from funnel_app.gateways.notion.templates import Page
from funnel_app.letters.draft import Draft, Sample
from funnel_app.letters.letter import Envelope

READERS: Mapping[str, Mapping[str, object]] = {
    "critical": {"segment": "CRITICAL", "red_systems": 3, "orange_systems": 2},
    "urgent": {"segment": "URGENT", "red_systems": 1, "orange_systems": 3},
    "optimize": {"segment": "OPTIMIZE", "red_systems": 0, "orange_systems": 1},
}


def fingerprint(page: Page) -> str:
    """Return what is the same only for templates that say the same."""
    parts = (page.subject, page.html, page.status, typed_of(page))
    return hashlib.sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()


def typed_of(page: Page) -> str:
    """Return what was typed with looks and links as one text; empty where there is none."""
    return json.dumps(page.typed, sort_keys=True) if page.typed else ""


def draft_of(deps: Deps, page: Page) -> Draft:
    """Return what the gate judges: the page's text, the variables that there are, and a sample of each segment."""
    written = (page.subject, page.html, page.status)
    return Draft(*written, NAMES, tuple(_samples(deps)), page.typed, LAYOUT.read_text("utf-8"))


def _samples(deps: Deps) -> Iterator[Sample]:
    examples = {name: _typed(name, value) for name, value in example_values().items()}
    for name, values in READERS.items():
        yield Sample(name, {**examples, **values}, _envelope(deps, str(examples["unsubscribe_url"])))


def _typed(name: str, value: object) -> object:
    return int(str(value)) if CATALOGUE[name].type == "number" else value


def _envelope(deps: Deps, url: str) -> Envelope:
    settings = deps.settings
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
