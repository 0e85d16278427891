"""Unsubscribe: one click ends all marketing to an address; mail about its own calls may go on."""

from funnel_app.deps import Deps
from funnel_app.flows.exit import end_all
from funnel_app.ledger import contacts, enrolments, suppressions
from funnel_app.ledger.models import Scope

REASON = "unsubscribed"


def unsubscribe(deps: Deps, token: str) -> bool:
    """Stop marketing to the contact with this token; False for a token that nobody has. Safe to repeat."""
    now = deps.now()
    with deps.sessions.begin() as session:
        contact = contacts.find_by_token(session, token)
        if contact is None:
            return False
        contacts.lock(session, [contact.id])
        pepper, scope = deps.settings.secret_key, Scope.MARKETING
        suppressions.add(session, contact.email_norm, pepper, scope=scope, reason=REASON, source="unsubscribe", now=now)
        running = enrolments.running(session, contact.id)
        end_all(session, (e for e in running if e.kind == Scope.MARKETING), REASON, now)
    return True


def is_known(deps: Deps, token: str) -> bool:
    """Say whether somebody has this token."""
    with deps.reads() as session:
        return contacts.find_by_token(session, token) is not None
