"""Standing: which version of a template leads get, which one waits, and since or until when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from funnel_app.deps import Deps
from funnel_app.flows.templates.serving import (
    QUIET_FOR,
    NotReady,
    choose,
    is_fresh,
    is_kept,
    is_withdrawn,
)
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion


class Stand(StrEnum):
    """The state of a template, in words."""

    SERVES = "serves"
    NEWER_WAITS = "a newer text waits"
    KEPT = "an older text, as chosen"
    NEWEST_BROKEN = "the newest text is broken"
    HELD = "held"
    UNREAD = "never read"
    STALE = "not read for a day"


@dataclass(frozen=True)
class Standing:
    """The state of a template: `serving` is in use, `waiting` is Notion's other text.

    `serves_from` is the earliest time at which that may go out, None if unknown; `why` says what holds its emails.
    """

    stand: Stand
    serving: TemplateVersion | None = None
    waiting: TemplateVersion | None = None
    serves_from: datetime | None = None
    why: str = ""

    @property
    def leads_get_one(self) -> bool:
        """Whether leads get a text now, whatever Notion has."""
        return self.serving is not None and self.stand is not Stand.STALE


def kept_manually(deps: Deps) -> list[str]:
    """Return the keys whose older version an operator pinned, with Notion unchanged since."""
    now = deps.now()
    with deps.reads() as session:
        latest, serving = template_versions.latest_of_all(session), template_versions.serving_of_all(session)
    stands = {key: standing_of(version, serving.get(key), now).stand for key, version in latest.items()}
    return [key for key in deps.registry.template_keys() if stands.get(key) is Stand.KEPT]


def standing_of(latest: TemplateVersion | None, adopted: TemplateVersion | None, now: datetime) -> Standing:
    """Return a template's state from Notion's version and the one in use, by the rules of sending."""
    if latest is None:
        return Standing(Stand.UNREAD)
    try:
        serving = choose(latest, adopted)
    except NotReady as reason:
        return Standing(Stand.HELD, waiting=None if is_withdrawn(latest) else latest, why=str(reason))
    beside = None if serving.id == latest.id else latest
    if not is_fresh(latest, now):
        return Standing(Stand.STALE, serving, beside)
    if beside is None:
        return Standing(Stand.SERVES, serving)
    if not latest.good:
        return Standing(Stand.NEWEST_BROKEN, serving, latest)
    if is_kept(serving, latest):
        return Standing(Stand.KEPT, serving, latest)
    return Standing(Stand.NEWER_WAITS, serving, latest, latest.since_at + QUIET_FOR)
