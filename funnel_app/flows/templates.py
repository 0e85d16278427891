"""Templates: the text that Notion has now, the text that serves, and why none does."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from funnel_app.campaigns.reasons import of_template
from funnel_app.campaigns.variables import NAMES
from funnel_app.deps import Deps
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.notion import Page
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion
from funnel_app.letters.gate import Problem, blocked, inspect
from funnel_app.letters.render import prepare

FRESH_FOR = timedelta(seconds=60)
QUIET_FOR = timedelta(minutes=2)
SERVES_FOR = timedelta(hours=24)
ASK_AGAIN_AFTER = timedelta(seconds=30)
WITHDRAWN = {"missing", "not_active", "several_pages"}


class NotReady(Exception):
    """No letter can be made of this template now; the message is the reason that people read."""


def ready_version(deps: Deps, key: str) -> TemplateVersion:
    """Return the version that letters are made of, asking Notion at most once a minute; NotReady says why none is.

    A changed text serves once it has not changed for two minutes, since people save half-typed; at once where
    there is no good one. While Notion is away the last good version serves for a day.
    """
    reached = _look(deps, key)
    now = deps.now()
    with deps.sessions.begin() as session:
        latest = template_versions.find_latest(session, key)
        adopted = template_versions.find_adopted(session, key)
        if latest is None:
            raise NotReady(f"template {key}: Notion cannot be reached, and no version of it was ever read")
        if not reached and now - latest.checked_at > SERVES_FOR:
            raise NotReady(f"template {key}: Notion cannot be reached, and the last good version is over a day old")
        return _choose(latest, adopted, now)


def _choose(latest: TemplateVersion, adopted: TemplateVersion | None, now: datetime) -> TemplateVersion:
    if latest.good and (adopted is None or now - latest.since_at >= QUIET_FOR or _was_withdrawn(adopted, latest)):
        if adopted is not latest:
            latest.adopted_at = now
        return latest
    if adopted is None or (not latest.good and _withdrawn(latest)):
        raise NotReady(of_template(latest.key, _first_fault(latest)))
    return adopted


def _was_withdrawn(adopted: TemplateVersion, latest: TemplateVersion) -> bool:
    # The very text that served before came back, for instance a page set to Active again.
    return adopted.hash == latest.hash


def _withdrawn(version: TemplateVersion) -> bool:
    return any(problem["code"] in WITHDRAWN for problem in version.problems)


def _first_fault(version: TemplateVersion) -> str:
    return str(next(problem["detail"] for problem in version.problems if problem["blocking"]))


def _look(deps: Deps, key: str) -> bool:
    now = deps.now()
    with deps.reads() as session:
        latest = template_versions.find_latest(session, key)
    if latest is not None and now - latest.checked_at < FRESH_FOR:
        return True
    if deps.unreachable_until.get(key, now) > now:
        return False
    try:
        observe(deps, key)
    except (Unavailable, Rejected):
        deps.unreachable_until[key] = now + ASK_AGAIN_AFTER
        return False
    return True


def observe(deps: Deps, key: str) -> None:
    """Read a template from Notion and keep what is there as a version, with the gate's verdict.

    Raises Unavailable or Rejected where Notion cannot be asked.
    """
    step = deps.registry.find_template(key)
    pages = deps.notebook.find_templates(key, step.aliases if step else ())
    seen = _seen(key, pages)
    with deps.sessions.begin() as session:
        template_versions.observe(session, seen, deps.now())


def _seen(key: str, pages: list[Page]) -> dict[str, Any]:
    page = pages[0] if len(pages) == 1 else None
    problems = inspect(page.subject, page.html, status=page.status, known=NAMES) if page else (_absent(key, pages),)
    good = page is not None and not blocked(problems)
    parts = prepare(page.subject, page.html) if page is not None and good else None
    return {
        "key": key,
        "page_id": page.id if page else None,
        "hash": _content_hash(page, len(pages)),
        "subject": page.subject if page else "",
        "html": page.html if page else "",
        "ready_html": parts.html if parts else None,
        "ready_text": parts.text if parts else None,
        "good": good,
        "problems": [{"code": p.code, "detail": p.detail, "blocking": p.blocking} for p in problems],
    }


def _absent(key: str, pages: list[Page]) -> Problem:
    if not pages:
        return Problem("missing", f"no page in the templates database is named {key}", True)
    names = ", ".join(f"“{page.name}”" for page in pages)
    return Problem("several_pages", f"{len(pages)} pages answer to {key}: {names}; leave one of them", True)


def _content_hash(page: Page | None, count: int) -> str:
    parts = (page.id, page.subject, page.html, page.status) if page else (f"{count} pages",)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
