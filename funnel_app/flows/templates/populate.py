"""Populate: write starter templates into Notion where a page is missing or empty; never over somebody's words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from funnel_app.deps import Deps
from funnel_app.flows.templates.readings import Reading, read_all
from funnel_app.gateways.notion.templates import Page

STARTERS = Path(__file__).parents[3] / "migrations" / "notion" / "templates"
ACTIVE = "Active"
LAYOUT = STARTERS.parent / "layout.html"
HEAD_LINE = re.compile(r"\s*<!--\s*(?P<name>subject|preview|reason):\s*(?P<text>.+?)\s*-->\s*", re.DOTALL)


@dataclass(frozen=True)
class Populated:
    """What was done for one key: created, filled, kept, or no starter."""

    key: str
    did: str
    detail: str


def populate(deps: Deps, tell: Callable[[Populated], None] = lambda _: None) -> list[Populated]:
    """Write a starter for every key of the campaigns that has no text in Notion; tell of each as soon as it is done.

    Only what is empty is written, so repeating changes nothing. Raises Unavailable or Rejected.
    """
    done = []
    for reading in read_all(deps)[0]:
        done.append(_populate_one(deps, reading))
        tell(done[-1])
    return done


def _populate_one(deps: Deps, reading: Reading) -> Populated:
    key, pages = reading.key, reading.pages
    starter = find_starter(key)
    if len(pages) > 1:
        return Populated(key, "kept", f"{len(pages)} pages answer to this key: leave one of them")
    if pages and pages[0].html.strip() and pages[0].subject.strip():
        return Populated(key, "kept", f"“{pages[0].name}” has a text")
    if pages and pages[0].unread:
        return Populated(key, "kept", f"“{pages[0].name}” cannot be read whole: {pages[0].unread}")
    if pages and pages[0].typed:
        return Populated(key, "kept", f"somebody typed on “{pages[0].name}”: move that text into a code block")
    if starter is None:
        return Populated(key, "no starter", "there is no starter text for this key yet: write it in Notion")
    return _fill(deps, key, pages[0], *starter) if pages else _create(deps, key, *starter)


def _create(deps: Deps, key: str, subject: str, html: str) -> Populated:
    deps.notebook.create_template(key, subject, html, status=ACTIVE)
    return Populated(key, "created", subject)


def _fill(deps: Deps, key: str, page: Page, subject: str, html: str) -> Populated:
    needs_subject, needs_body = not page.subject.strip(), not page.html.strip()
    deps.notebook.fill_template(page.id, subject if needs_subject else None, html if needs_body else None)
    empty = "was empty" if needs_subject and needs_body else f"had no {'subject' if needs_subject else 'body'}"
    hint = f"; its status is {page.status}: set it to {ACTIVE}" if page.status not in ("", ACTIVE) else ""
    return Populated(key, "filled", f"“{page.name}” {empty}{hint}")


def find_starter(key: str) -> tuple[str, str] | None:
    """Return the subject and whole page of a starter; None where there is none. Sending never reads them."""
    path = STARTERS / f"{key}.html"
    if not path.exists():
        return None
    parts, body = _parted(path)
    page = LAYOUT.read_text("utf-8")
    for name, text in {"preview": parts["preview"], "reason": parts["reason"], "body": body.strip()}.items():
        page = page.replace(f"[{name}]", text)
    return parts["subject"], page


def _parted(path: Path) -> tuple[dict[str, str], str]:
    """Return the named lines at the head of a starter, and what comes after them."""
    text = path.read_text("utf-8")
    parts = {}
    while found := HEAD_LINE.match(text):
        parts[found["name"]] = found["text"]
        text = text[found.end() :]
    absent = [name for name in ("subject", "preview", "reason") if name not in parts]
    if absent:
        raise ValueError(f"{path.name} does not begin with <!-- {absent[0]}: … -->")
    return parts, text
