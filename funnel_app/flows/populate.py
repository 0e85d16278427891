"""Populate: write starter templates into Notion where a page is missing or empty; never over somebody's words."""

import re
from dataclasses import dataclass
from pathlib import Path

from funnel_app.deps import Deps

STARTERS = Path(__file__).parents[2] / "migrations" / "notion" / "templates"
SUBJECT_LINE = re.compile(r"\A\s*<!--\s*subject:\s*(?P<subject>.+?)\s*-->\s*", re.DOTALL)


@dataclass(frozen=True)
class Populated:
    """What was done for one key: created, filled, kept, or no starter."""

    key: str
    did: str
    detail: str


def populate(deps: Deps) -> list[Populated]:
    """Write a starter for every key of the campaigns that has no text in Notion; say what was done to each."""
    return [_populate_one(deps, key) for key in deps.registry.template_keys()]


def _populate_one(deps: Deps, key: str) -> Populated:
    starter = find_starter(key)
    if starter is None:
        return Populated(key, "no starter", "there is no starter text for this key yet: write it in Notion")
    step = deps.registry.find_template(key)
    pages = deps.notebook.find_templates(key, step.aliases if step else ())
    subject, html = starter
    if not pages:
        deps.notebook.create_template(key, subject, html)
        return Populated(key, "created", subject)
    if len(pages) > 1:
        return Populated(key, "kept", f"{len(pages)} pages answer to this key: leave one of them")
    if pages[0].html.strip() or pages[0].subject.strip():
        return Populated(key, "kept", f"“{pages[0].name}” has a text")
    deps.notebook.fill_template(pages[0].id, subject, html)
    return Populated(key, "filled", f"“{pages[0].name}” was empty")


def find_starter(key: str) -> tuple[str, str] | None:
    """Return the subject and body of a starter; None where there is none. Sending never reads them."""
    path = STARTERS / f"{key}.html"
    if not path.exists():
        return None
    text = path.read_text("utf-8")
    found = SUBJECT_LINE.match(text)
    if found is None:
        raise ValueError(f"{path.name} does not begin with <!-- subject: … -->")
    return found["subject"], text[found.end() :]
