"""Settle: an operator's decision on open matters: put aside, correct, mail again, or confirm delivery."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.states import WAITING, State
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.addresses import NotAnAddress, required
from funnel_app.flows.console import intervene, operate
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.named import call_named
from funnel_app.flows.intake.received_calls import put_aside, waits_for_fix
from funnel_app.flows.monitoring.alerts.incidents import put_incident_aside
from funnel_app.flows.privacy.suppress import lift
from funnel_app.ledger import contacts, enrolments, hook_events, operator_actions, suppressions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Contact, Enrolment, Outcome, Scope
from funnel_app.ledger.operator_actions import CORRECT, OperatorAction
from funnel_app.ledger.queries import counts, leads, today
from funnel_app.redact import masked_addresses
from funnel_app.rules.people.contact import with_earlier

AT_ONCE = 500
LONGEST_WORD = 200
NO_WORD = "put aside"
# Submitted or possibly submitted: the address cannot change any more.
GONE_OUT = frozenset({State.SENDING, State.SENT, State.DELAYED, State.AMBIGUOUS})


def put_call_aside(deps: Deps, hook_id: UUID, operator: str, word: str) -> str:
    """Record that a refused call needs no correction, and why."""
    said = _said(operator, word)
    with deps.sessions.begin() as session:
        call = hook_events.find(session, hook_id)
        if call is None or call.outcome != Outcome.REFUSED or not waits_for_fix(call):
            raise NotPossible("This call waits for nothing any more.")
        put_aside(session, call, said)
        detail = f"{call_named(deps.settings, call)}: {said}"
        row = OperatorAction(at=deps.now(), operator=operator, action="put_aside", detail=detail)
        operator_actions.add(session, row)
    return "the call is put aside"


def put_aside_incident(deps: Deps, incident_id: UUID, operator: str, word: str) -> str:
    """End an incident that has passed, with a note; only later occurrences are reported again."""
    title = put_incident_aside(deps, incident_id, said := _said(operator, word))
    if title is None:
        raise NotPossible("This is over already, or it lasts: then only its end puts it aside.")
    operate.note(deps, operator, "put_aside", None, f"{title}: {said}")
    return f"“{title}” is put aside"


def count_in_doubt(reads: sessionmaker[Session]) -> int:
    """Return how many emails are ambiguous."""
    with reads() as session:
        return counts.in_state(session, State.AMBIGUOUS)


def settle_all(deps: Deps, outcome: str, operator: str) -> str:
    """Settle all ambiguous emails: `delivered`, or `not-sent`, which sends them again."""
    with deps.reads() as session:
        found = [email.id for email in today.ambiguous(session, AT_ONCE)]
    settled = sum(_settled(deps, email_id, outcome) for email_id in found)
    told = f"{things(settled, 'email')} {intervene.RECORDED[outcome]}"
    operate.note(deps, operator, "settle_all", None, told)
    return told + ("; there are more: settle those too" if len(found) == AT_ONCE else "")


def _settled(deps: Deps, email_id: UUID, outcome: str) -> bool:
    try:
        intervene.resolve(deps, email_id, outcome)
    except NotPossible:  # settled by somebody else or by a report meanwhile
        return False
    return True


@retry_on_conflict
def mail_again(deps: Deps, contact_id: UUID, operator: str) -> str:
    """Remove every suppression of a lead's address. Ended sequences stay ended."""
    told = "the address is mailed again; what has ended stays ended, until somebody enrols it again"
    with deps.sessions.begin() as session:
        # Locked before it is looked at: what keeps an address that is being erased must not be lifted.
        contacts.lock(session, [contact_id])
        contact = leads.get(session, contact_id)
        if contacts.is_erased(contact):
            raise NotPossible(operate.ERASED_ALREADY)
        if not lift(deps, session, contact.email_norm):
            raise NotPossible("Nothing forbids mail to this address.")
        row = OperatorAction(at=deps.now(), operator=operator, action="mail_again", contact_id=contact_id, detail=told)
        operator_actions.add(session, row)
    return told


@retry_on_conflict
def correct_address(deps: Deps, contact_id: UUID, address: str, operator: str) -> str:
    """Change a lead's address: waiting emails go to the new one, submitted ones are unaffected."""
    try:
        email_norm = required(address)
    except NotAnAddress as fault:
        raise NotPossible(str(fault)) from None
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, [contact_id])
        contact = leads.get(session, contact_id)
        _must_be_free(session, contact, email_norm)
        joined = enrolments.of_contact(session, contact_id)
        contact.properties = with_earlier(contact, contact.email)
        contact.email, contact.email_norm = address.strip(), email_norm
        contact.updated_at = contact.mirror_stale_since = now
        for enrolment in joined:
            enrolment.mirror_stale_since = now
        told = f"the address is corrected: {_what_follows(joined)}{_but(session, deps.settings, email_norm)}"
        row = OperatorAction(at=now, operator=operator, action=CORRECT, contact_id=contact_id, detail=told)
        operator_actions.add(session, row)
    return told


def _must_be_free(session: Session, contact: Contact, email_norm: str) -> None:
    if contacts.is_erased(contact):
        raise NotPossible(operate.ERASED_ALREADY)
    if email_norm == contact.email_norm:
        raise NotPossible("This is the address that the lead has.")
    if contacts.find(session, email_norm) is not None:
        raise NotPossible(f"{email_norm} is a lead of its own already: enrol that one, and stop this one.")


def _what_follows(joined: list[Enrolment]) -> str:
    waiting, gone = (_number(joined, among.__contains__) for among in (WAITING, GONE_OUT))
    if not waiting and not gone:
        return "no email waits for it; to go on, enrol the lead again"
    later = f"{things(waiting, 'email')} that wait{'s' if waiting == 1 else ''} go{'es' if waiting == 1 else ''} there"
    return later + (f", and {things(gone, 'email')} went to the old one" if gone else "")


def _but(session: Session, settings: Settings, email_norm: str) -> str:
    """Return what forbids mail to an address, as the end of a sentence; empty if nothing does."""
    found = suppressions.strictest(session, email_norm, settings.secret_key)
    if found is None:
        return ""
    return f"; but {'nothing' if found.scope == Scope.ALL else 'no marketing'} goes to it: {found.reason}"


def _number(joined: list[Enrolment], wanted: Callable[[object], bool]) -> int:
    return sum(wanted(State(email.state)) for enrolment in joined for email in enrolment.emails)


def _said(operator: str, word: str) -> str:
    # Outlives an erasure, so it must not name anybody.
    return f"{masked_addresses(word.strip()[:LONGEST_WORD]) or NO_WORD} ({operator})"
