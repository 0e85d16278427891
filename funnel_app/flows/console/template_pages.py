"""Template pages: how every template stands, its versions, and what differs between two of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from funnel_app.deps import Deps
from funnel_app.flows.console.fares import Fares, recent_fares
from funnel_app.flows.templates.serving import known_in, observe
from funnel_app.flows.templates.standing import Stand, Standing, standing_of
from funnel_app.flows.templates.subjects import read_subjects
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion
from funnel_app.letters.page import read

VERSIONS = 10


@dataclass(frozen=True)
class Listed:
    """One template: where it belongs, what was read last (None: nothing yet), how it stands, and how it fares.

    Its subject is as a made-up lead would read it.
    """

    key: str
    sequence: str
    subject: str
    version: TemplateVersion | None
    standing: Standing
    fares: Fares


@dataclass(frozen=True)
class Changed:
    """One line of a difference: "+" stands only in this version, "-" only in the other, and nothing in both."""

    sign: str
    text: str


@dataclass(frozen=True)
class Seen:
    """One version beside what leads get now: whether it may serve, and what differs, empty where no word does."""

    version: TemplateVersion
    standing: Standing
    differs: tuple[Changed, ...]

    @property
    def serves(self) -> bool:
        """Whether leads get it now."""
        return self.standing.serving is not None and self.standing.serving.id == self.version.id

    @property
    def may_serve(self) -> bool:
        """Whether a person may let it serve."""
        return self.version.good and not self.serves and self.standing.stand not in (Stand.HELD, Stand.UNREAD)


def list_templates(deps: Deps) -> list[Listed]:
    """Return every template of every campaign, in the order of the files; Notion is not asked."""
    now = deps.now()
    with deps.reads() as session:
        latest, serving = template_versions.latest_of_all(session), template_versions.serving_of_all(session)
    by_key = {row.key: row for row in recent_fares(deps)}
    subjects = read_subjects(deps, {key: version.subject for key, version in latest.items()})
    return [
        Listed(
            key=step.template,
            sequence=sequence.name,
            subject=subjects.get(step.template, ""),
            version=latest.get(step.template),
            standing=standing_of(latest.get(step.template), serving.get(step.template), now),
            fares=by_key[step.template],
        )
        for _, sequence, step in deps.registry.steps()
    ]


def stand_of(deps: Deps, key: str) -> Standing:
    """Return how a template stands."""
    with deps.reads() as session:
        return standing_of(*known_in(session, key), deps.now())


def versions_of(deps: Deps, key: str) -> list[TemplateVersion]:
    """Return the versions of a template, the newest look first, without their bodies."""
    with deps.reads() as session:
        return template_versions.of_key(session, key, VERSIONS)


def find_version(deps: Deps, key: str, version_id: UUID) -> Seen | None:
    """Return one version of a template beside what leads get now; None where the key has no such version."""
    with deps.reads() as session:
        version = template_versions.find_of_key(session, key, version_id)
        if version is None:
            return None
        standing = standing_of(*known_in(session, key), deps.now())
    differs = tuple(_differs(standing.serving, version)) if standing.serving is not None else ()
    return Seen(version, standing, differs)


def read_again(deps: Deps, key: str) -> None:
    """Read a template from Notion now. Raises Unavailable or Rejected where Notion cannot be asked."""
    observe(deps, key)


def _differs(other: TemplateVersion, version: TemplateVersion) -> Iterator[Changed]:
    """Yield the lines that differ, each with the one before and after it."""
    made = other.ready_text is not None and version.ready_text is not None
    before, after = _lines(other, made=made), _lines(version, made=made)
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(1):
        for kind, start, end, new_start, new_end in group:
            if kind == "equal":
                yield from (Changed("", line) for line in before[start:end])
            else:
                yield from (Changed("-", line) for line in before[start:end])
                yield from (Changed("+", line) for line in after[new_start:new_end])


def _lines(version: TemplateVersion, *, made: bool) -> list[str]:
    text = (version.ready_text or "") if made else read(version.html).text
    return [version.subject, *(line.strip() for line in text.splitlines() if line.strip())]
