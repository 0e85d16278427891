"""Serve again: an operator puts an earlier version of a template to use, whatever Notion has."""

from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.templates.serving import first_fault, is_withdrawn, known_in
from funnel_app.flows.templates.subjects import read_subject
from funnel_app.ledger import operator_actions, template_versions
from funnel_app.ledger.models import TemplateVersion
from funnel_app.ledger.operator_actions import OperatorAction

UNTIL = "until its page in Notion changes again; what stands there then goes out once it was quiet for two minutes"


class CannotServe(Exception):
    """This version cannot be used; the message says why, and what to do."""


def serve_again(deps: Deps, key: str, version_id: UUID, operator: str) -> str:
    """Use this version until Notion's text changes; return what was done, in words.

    Submitted emails stay as they are. Raises CannotServe. Safe to repeat.
    """
    with deps.sessions.begin() as session:
        template_versions.lock(session, [key])
        # Later than whatever was taken over while this waited.
        now = deps.now()
        version = _servable(session, key, version_id)
        latest, _ = known_in(session, key)
        template_versions.pin(session, version, now)
        detail = f"{key} {version.hash[:8]}"
        operator_actions.add(session, OperatorAction(at=now, operator=operator, action="serve_again", detail=detail))
    words = f"“{read_subject(deps, key, version.subject)}” ({version.hash[:8]}) serves again"
    return words if latest is None or latest.id == version.id else f"{words}, {UNTIL}"


def _servable(session: Session, key: str, version_id: UUID) -> TemplateVersion:
    version = template_versions.find_of_key(session, key, version_id)
    latest, adopted = known_in(session, key)
    if version is None or latest is None:
        raise CannotServe(f"{key} has no such version")
    if not version.good:
        raise CannotServe(f"{version.hash[:8]} cannot be sent: {first_fault(version)}")
    if not latest.good and is_withdrawn(latest):
        raise CannotServe(f"The emails of {key} are held: {first_fault(latest)} Fix that in Notion first")
    if adopted is not None and adopted.id == version.id:
        raise CannotServe(f"{version.hash[:8]} serves already")
    return version
