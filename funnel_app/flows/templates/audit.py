"""Audit: whether every needed template is in Notion, valid, and named correctly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from funnel_app.campaigns.names import nearest
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import joined
from funnel_app.deps import Deps
from funnel_app.flows.templates.cures import CURES
from funnel_app.flows.templates.judged_pages import Reading, keep, read_all
from funnel_app.flows.templates.rehearse import lacks_off_season
from funnel_app.flows.templates.starters import find_earlier, find_starter
from funnel_app.flows.templates.unsent import unsent_words
from funnel_app.gateways.notion.templates import Page
from funnel_app.letters.validation.gate import Problem

OK, WARNING, FAULT = "ok", "warning", "fault"
EMPTY_CODES = frozenset({"missing", "no_body", "no_subject"})


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a template, with the fix."""

    code: str
    detail: str
    suggestion: str


@dataclass(frozen=True)
class Audited:
    """The findings on one template key."""

    key: str
    status: str
    problems: tuple[Finding, ...]
    read_as: str = ""


@dataclass(frozen=True)
class Audit:
    """The findings on the whole database; `unused` are pages that no campaign needs."""

    templates: tuple[Audited, ...]
    unused: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every template is valid."""
        return all(template.status != FAULT for template in self.templates)

    def as_json(self) -> dict[str, Any]:
        """Return the audit as plain data."""
        return {
            "ok": self.ok,
            "templates": [_as_json(template) for template in self.templates],
            "unused": list(self.unused),
        }


def _as_json(template: Audited) -> dict[str, Any]:
    findings = [asdict(problem) for problem in template.problems]
    return {"key": template.key, "status": template.status, "problems": findings}


def audit_templates(deps: Deps, *, keeps: bool = True) -> Audit:
    """Return the findings on Notion's templates, by one query and a look at edited pages.

    What was read is kept, so that no page says otherwise until all are read again. Raises Unavailable or Rejected.
    """
    readings, unused = read_all(deps)
    if keeps:
        keep(deps, readings)
    meant = _meant(deps.registry, unused)
    audited = tuple(
        _audited(deps, reading, [page for page in unused if meant[page.id] == reading.key]) for reading in readings
    )
    return Audit(audited, tuple(sorted(page.name or "(a page without a name)" for page in unused)))


def _meant(registry: Registry, pages: Sequence[Page]) -> Mapping[str, str | None]:
    """Return the key that each unknown page was probably meant for."""
    wanted = {
        step.template: [*step.aliases, f"{sequence.name}_{step.number}", f"{sequence.flow}_{step.number}"]
        for _, sequence, step in registry.steps()
    }
    return {page.id: nearest(page.name, wanted) for page in pages}


def _audited(deps: Deps, reading: Reading, near: Sequence[Page]) -> Audited:
    status = OK if not reading.problems else WARNING if reading.good else FAULT
    findings = [Finding(p.code, p.detail, _cure(reading, p, near)) for p in reading.problems]
    more = [*_other_name(reading), *_old_starter(reading), *_out_of_season(deps, reading)]
    more += [Finding(p.code, p.detail, CURES[p.code]) for p in unsent_words(deps.notebook, reading)]
    return Audited(reading.key, WARNING if more and status == OK else status, (*findings, *more), reading.read_as)


def _old_starter(reading: Reading) -> Iterator[Finding]:
    page = reading.page
    if page is not None and page.in_property and (earlier := find_earlier(reading.key, page.subject, page.html)):
        detail = f"has the starter text of {earlier.day}, which nobody changed; there is a newer one"
        yield Finding("old_starter", detail, CURES["old_starter"])


def _out_of_season(deps: Deps, reading: Reading) -> Iterator[Finding]:
    page = reading.page
    if page is None or reading.parts is None or not reading.good:
        return
    if lacking := lacks_off_season(deps, reading.key, reading.parts):
        names, day = joined(lacking.names), lacking.from_day
        detail = f"uses {names}, which nothing provides out of season: from {day.day} {day:%B} on its emails are held"
        yield Finding("out_of_season", detail, CURES["out_of_season"])


def _other_name(reading: Reading) -> Iterator[Finding]:
    if reading.page is not None and reading.page.name != reading.key:
        detail = f"“{reading.page.name}” serves, found by its alias"
        yield Finding("other_name", detail, f"Rename it to {reading.key}, so that nobody takes it for another")


def _cure(reading: Reading, problem: Problem, near: Sequence[Page]) -> str:
    if near and problem.code in EMPTY_CODES:
        return _take(reading, near)
    cure = CURES.get(problem.code, "")
    # Populate only writes keys with a starter, and never while misnamed pages exist.
    if problem.code in EMPTY_CODES and find_starter(reading.key) is not None:
        return f"{cure}, or run: flask templates populate"
    return cure


def _take(reading: Reading, near: Sequence[Page]) -> str:
    names = " or ".join(f"“{page.name}”" for page in near)
    if reading.page is None:
        return f"Rename {names} to {reading.key}"
    return f"Move the text of {names} here, or delete this page and rename {names} to {reading.key}"
