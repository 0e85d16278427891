"""Populate: write starter templates into Notion where one is missing, empty or an unchanged old starter."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from funnel_app.campaigns.spoken import joined
from funnel_app.deps import Deps
from funnel_app.flows.templates.judged_pages import Reading, judged, read_all
from funnel_app.flows.templates.rehearse import lacks_off_season
from funnel_app.flows.templates.starters import find_earlier, find_starter
from funnel_app.gateways.notion.templates import NotionTemplates, Page

ACTIVE = "Active"


@dataclass(frozen=True)
class Populated:
    """The result for one key: created, filled, renewed, kept, or no starter."""

    key: str
    did: str
    detail: str


@dataclass(frozen=True)
class _Change:
    """The change to one key's page: the texts to write, and its description."""

    did: str
    detail: str
    subject: str | None = None
    html: str | None = None


def populate(
    deps: Deps, progress: Callable[[Populated], None] = lambda _: None, *, dry_run: bool = False
) -> list[Populated]:
    """Write a starter for every key without a text, or with an unchanged old starter; return each result.

    A text that somebody edited is never overwritten, so repeating changes nothing; a dry run only reports. Raises
    Unavailable or Rejected.
    """
    done = []
    for reading in read_all(deps)[0]:
        change = _change(deps, reading)
        if not dry_run:
            _make(deps.notebook, reading, change)
        done.append(Populated(reading.key, change.did, change.detail))
        progress(done[-1])
    return done


def _make(notebook: NotionTemplates, reading: Reading, change: _Change) -> None:
    if change.did == "created":
        notebook.create_template(reading.key, change.subject or "", change.html or "", status=ACTIVE)
    elif change.subject is not None or change.html is not None:
        notebook.fill_template(reading.pages[0].id, change.subject, change.html)


def _change(deps: Deps, reading: Reading) -> _Change:
    key, pages = reading.key, reading.pages
    starter = find_starter(key)
    if len(pages) > 1:
        return _Change("kept", f"{len(pages)} pages answer to this key: leave one of them")
    if pages and pages[0].unread:
        return _Change("kept", f"“{pages[0].name}” cannot be read whole: {pages[0].unread}")
    if pages and (renewal := _renewal(deps, reading, pages[0])):
        return renewal
    if pages and (pages[0].html.strip() or pages[0].written) and pages[0].subject.strip():
        return _Change("kept", f"“{pages[0].name}” has a text{_lack(deps, reading)}")
    if starter is None:
        return _Change("no starter", "there is no starter text for this key yet: write it in Notion")
    return _filling(pages[0], *starter) if pages else _Change("created", starter[0], *starter)


def _filling(page: Page, subject: str, html: str) -> _Change:
    needs_subject, needs_body = not page.subject.strip(), not (page.html.strip() or page.written)
    empty = "was empty" if needs_subject and needs_body else f"had no {'subject' if needs_subject else 'body'}"
    hint = f"; its status is {page.status}: set it to {ACTIVE}" if page.status not in ("", ACTIVE) else ""
    words = f"“{page.name}” {empty}{hint}"
    return _Change("filled", words, subject if needs_subject else None, html if needs_body else None)


def _renewal(deps: Deps, reading: Reading, page: Page) -> _Change | None:
    """Return the current starter to replace an unchanged old one; None if it is not one."""
    earlier, starter = find_earlier(reading.key, page.subject, page.html), find_starter(reading.key)
    if earlier is None or starter is None or not page.in_property:
        return None
    subject, html = starter
    words = f"“{page.name}” had the starter text of {earlier.day}, unchanged"
    if earlier.subject or not page.subject.strip():
        return _Change("renewed", words, subject if subject != page.subject else None, html)
    kept = judged(deps, reading.key, [replace(page, html=html)])
    return _Change("renewed", f"{words}; its own subject line is kept{_lack(deps, kept)}", html=html)


def _lack(deps: Deps, reading: Reading) -> str:
    """Return what the owner has to change in their own text, or nothing."""
    if reading.parts is None or (lacking := lacks_off_season(deps, reading.key, reading.parts)) is None:
        return ""
    names, day = joined(lacking.names), lacking.from_day
    guard = f"{{% if {lacking.names[0]} is known %}} and {{% endif %}}"
    return f", and must change before {day.day} {day:%B}: put what speaks of {names} between {guard}"
