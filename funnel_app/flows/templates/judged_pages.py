"""Judged pages: what Notion has under each template key now, with the verdict."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from funnel_app.campaigns.model import Step
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.templates.drafts import draft_of, fingerprint, own_of, typed_of
from funnel_app.gateways.notion.pages import answering
from funnel_app.gateways.notion.templates import Page
from funnel_app.ledger import template_versions
from funnel_app.letters.render import Parts
from funnel_app.letters.validation.gate import Problem, beside_the_body, blocked


@dataclass(frozen=True)
class Reading:
    """The pages that match a key, everything wrong with them, and the parts of a valid one.

    `read_as` says how the text was interpreted (HTML, Markdown, words typed on the page); `html` is the result.
    """

    key: str
    pages: tuple[Page, ...]
    problems: tuple[Problem, ...]
    parts: Parts | None = None
    read_as: str = ""
    html: str = ""

    @property
    def page(self) -> Page | None:
        """The only page that matches; None for none or several."""
        return self.pages[0] if len(self.pages) == 1 else None

    @property
    def good(self) -> bool:
        """Whether letters may be made of it."""
        return self.page is not None and not blocked(self.problems)


def read_one(deps: Deps, key: str) -> Reading:
    """Read one template; raises Unavailable or Rejected."""
    return judged(deps, key, deps.notebook.find_templates(key, aliases_of(deps.registry, key)))


def read_all(deps: Deps) -> tuple[list[Reading], list[Page]]:
    """Read all templates with one query; return a reading for each key, and the pages without one.

    Raises Unavailable or Rejected.
    """
    listed = deps.notebook.list_templates()
    readings = [_of_step(deps, step, listed) for _, _, step in deps.registry.steps()]
    used = {page.id for reading in readings for page in reading.pages}
    return readings, [page for page in listed if page.id not in used]


def _of_step(deps: Deps, step: Step, listed: Sequence[Page]) -> Reading:
    found = [deps.notebook.whole(page) for page in answering(listed, step.template, step.aliases)]
    # If the name property is called something else, no page has a name.
    nameless = not found and all(not page.name for page in listed)
    return judged(deps, step.template, found, listed[0].faults if listed and nameless else ())


def aliases_of(registry: Registry, key: str) -> tuple[str, ...]:
    """Return the other names of a key's page."""
    step = registry.find_template(key)
    return step.aliases if step else ()


def judged(deps: Deps, key: str, pages: Sequence[Page], faults: Sequence[str] = ()) -> Reading:
    """Return the problems of the pages that match a key, the database's own first.

    Raises Unavailable if no verdict came in time.
    """
    if len(pages) != 1:
        return Reading(key, tuple(pages), (*_columns(faults), _absent(key, pages)))
    page = pages[0]
    if page.unread or page.unclear:
        beside = beside_the_body(page.subject, page.status)
        return Reading(key, tuple(pages), (*_columns(page.faults), _unreadable(page), *beside))
    own = own_of(deps.registry, key)
    verdict = deps.judge.judge(fingerprint(page, own), lambda: draft_of(deps.settings, page, own))
    problems = (*_columns(page.faults), *verdict.problems)
    return Reading(key, tuple(pages), problems, verdict.parts, verdict.read_as, verdict.html)


def _unreadable(page: Page) -> Problem:
    if page.unread:
        detail = f"“{page.name}” holds a block that Funnel cannot read ({page.unread})"
        return Problem("unreadable_page", detail, True)
    return Problem("several_code_blocks", f"“{page.name}” has {page.unclear}", True)


def _columns(faults: Iterable[str]) -> tuple[Problem, ...]:
    return tuple(Problem("bad_property", fault, True) for fault in faults)


def _absent(key: str, pages: Sequence[Page]) -> Problem:
    if not pages:
        return Problem("missing", f"no page in the templates database is named {key}", True)
    names = ", ".join(f"“{page.name}”" for page in pages)
    return Problem("several_pages", f"{len(pages)} pages answer to {key}: {names}; leave one of them", True)


def keep(deps: Deps, readings: Iterable[Reading]) -> None:
    """Store what was read as versions, each with its verdict. Safe to repeat."""
    seen = [_version(reading) for reading in readings]
    with deps.sessions.begin() as session:
        template_versions.observe(session, seen, deps.now())


def _version(reading: Reading) -> dict[str, Any]:
    page = reading.page
    parts = reading.parts if reading.good else None
    return {
        "key": reading.key,
        "page_id": page.id if page else None,
        "hash": _content_hash(reading),
        "subject": page.subject if page else "",
        "html": (reading.html or page.html) if page else "",
        "ready_html": parts.html if parts else None,
        "ready_text": parts.text if parts else None,
        "good": reading.good,
        "problems": [{"code": p.code, "detail": p.detail, "blocking": p.blocking} for p in reading.problems],
    }


def _content_hash(reading: Reading) -> str:
    page = reading.page
    parts = (
        (page.id, page.subject, page.html, page.status, *page.faults, *filter(None, (typed_of(page), page.unclear)))
        if page
        else (f"{len(reading.pages)} pages", *(p.detail for p in reading.problems if p.code == "bad_property"))
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
