"""Template pages: the state of every template as it was read last, and its versions."""

from dataclasses import dataclass

from funnel_app.deps import Deps
from funnel_app.flows.console.fares import Fares, recent_fares
from funnel_app.flows.templates.serving import observe
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion

VERSIONS = 10


@dataclass(frozen=True)
class Listed:
    """One template: where it belongs, what was read last (None: nothing yet), and how it fares."""

    key: str
    sequence: str
    version: TemplateVersion | None
    fares: Fares

    @property
    def status(self) -> str:
        """The word for its state: ok, warning, fault, or unread."""
        if self.version is None:
            return "unread"
        return "fault" if not self.version.good else "warning" if self.version.problems else "ok"


def list_templates(deps: Deps) -> list[Listed]:
    """Return every template of every campaign, in the order of the files; Notion is not asked."""
    with deps.reads() as session:
        latest = template_versions.latest_of_all(session)
    by_key = {row.key: row for row in recent_fares(deps)}
    return [
        Listed(step.template, sequence.name, latest.get(step.template), by_key[step.template])
        for _, sequence, step in deps.registry.steps()
    ]


def versions_of(deps: Deps, key: str) -> list[TemplateVersion]:
    """Return the versions of a template, the newest look first, without their bodies."""
    with deps.reads() as session:
        return template_versions.of_key(session, key, VERSIONS)


def read_again(deps: Deps, key: str) -> None:
    """Read a template from Notion now. Raises Unavailable or Rejected where Notion cannot be asked."""
    observe(deps, key)
