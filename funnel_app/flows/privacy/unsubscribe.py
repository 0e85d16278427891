"""Unsubscribe: one click ends all marketing to an address; transactional mail goes on unless stopped too."""

from dataclasses import dataclass
from datetime import timedelta

from funnel_app.deps import Deps
from funnel_app.flows.privacy.suppress import forbid, publish_resubscribed, today
from funnel_app.ledger import contacts, operator_actions, suppressions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Scope
from funnel_app.ledger.operator_actions import UNSUBSCRIBE_PAGE, OperatorAction

SOURCE, UNDO_WITHIN = suppressions.UNSUBSCRIBED, timedelta(days=1)
READER, TAKEN_BACK = "the reader", "took back an unsubscribe that was pressed by mistake"
WORDS = {Scope.MARKETING: "unsubscribed", Scope.ALL: "unsubscribed from all emails"}


@dataclass(frozen=True)
class Standing:
    """What the holder of an unsubscribe link gets now; `nothing` after an erasure too.

    A click by mistake can be undone for a day.
    """

    marketing: bool
    nothing: bool
    may_undo: bool = False


@retry_on_conflict
def unsubscribe(deps: Deps, token: str, scope: Scope = Scope.MARKETING) -> bool:
    """Stop marketing, or all mail, to the contact with this token; False for an unknown token.

    Safe to repeat, also after an erasure.
    """
    with deps.sessions.begin() as session:
        contact = contacts.find_by_token(session, token)
        if contact is None:
            return False
        if not contacts.is_erased(contact):
            forbid(deps, session, contact, scope, f"{WORDS[scope]} {today(deps)}", SOURCE)
    return True


def find_standing(deps: Deps, token: str) -> Standing | None:
    """Return what the contact with this token gets now; None for an unknown token."""
    pepper = deps.settings.secret_key
    with deps.reads() as session:
        contact = contacts.find_by_token(session, token)
        if contact is None:
            return None
        found = suppressions.of_address(session, contact.email_norm, pepper)
    scopes, since = {each.scope for each in found}, deps.now() - UNDO_WITHIN
    nothing = contacts.is_erased(contact) or Scope.ALL in scopes
    may_undo = not contacts.is_erased(contact) and any(e.source == SOURCE and e.created_at >= since for e in found)
    return Standing(marketing=not nothing and Scope.MARKETING not in scopes, nothing=nothing, may_undo=may_undo)


def undo(deps: Deps, token: str) -> bool:
    """Undo the unsubscribe of the contact with this token, within a day; False for an unknown token.

    Other suppressions stay, and ended sequences stay ended.
    """
    with deps.sessions.begin() as session:
        contact = contacts.find_by_token(session, token)
        if contact is None:
            return False
        if not contacts.is_erased(contact):
            now, pepper = deps.now(), deps.settings.secret_key
            if suppressions.remove_unsubscribed(session, contact.email_norm, pepper, now - UNDO_WITHIN, now):
                publish_resubscribed(session, contact, now)
                about = {"contact_id": contact.id, "detail": TAKEN_BACK, "source": UNSUBSCRIBE_PAGE}
                operator_actions.add(session, OperatorAction(at=now, operator=READER, action="mail_again", **about))
    return True
