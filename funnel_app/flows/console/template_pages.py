"""Template pages: the state of every template, its versions, and the difference between two of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

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
    """One template: its step, its latest version (None: never read), its state, and its results.

    The subject is rendered for a made-up lead.
    """

    key: str
    sequence: str
    subject: str
    version: TemplateVersion | None
    standing: Standing
    fares: Fares


@dataclass(frozen=True)
class Changed:
    """One line of a diff: "+" only in this version, "-" only in the other, empty in both."""

    sign: str
    text: str


@dataclass(frozen=True)
class Seen:
    """A version compared with the one in use; the diff is empty if they are equal."""

    version: TemplateVersion
    standing: Standing
    differs: tuple[Changed, ...]

    @property
    def serves(self) -> bool:
        """Whether this version is in use."""
        return self.standing.serving is not None and self.standing.serving.id == self.version.id

    @property
    def may_serve(self) -> bool:
        """Whether an operator may put it to use."""
        return self.version.good and not self.serves and self.standing.stand not in (Stand.HELD, Stand.UNREAD)


def list_templates(deps: Deps) -> list[Listed]:
    """Return every template of every campaign, in the order of the files, without asking Notion."""
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
    """Return a template's state."""
    with deps.reads() as session:
        return standing_of(*known_in(session, key), deps.now())


def versions_of(reads: sessionmaker[Session], key: str) -> list[TemplateVersion]:
    """Return the versions of a template, most recently read first, without bodies."""
    with reads() as session:
        return template_versions.of_key(session, key, VERSIONS)


def find_version(deps: Deps, key: str, version_id: UUID) -> Seen | None:
    """Return a version compared with the one in use; None if the key has no such version."""
    with deps.reads() as session:
        version = template_versions.find_of_key(session, key, version_id)
        if version is None:
            return None
        standing = standing_of(*known_in(session, key), deps.now())
    differs = tuple(_differs(standing.serving, version)) if standing.serving is not None else ()
    return Seen(version, standing, differs)


def read_again(deps: Deps, key: str) -> None:
    """Read a template from Notion now. Raises Unavailable or Rejected."""
    observe(deps, key)


def _differs(other: TemplateVersion, version: TemplateVersion) -> Iterator[Changed]:
    """Yield the differing lines, each with one line of context."""
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
