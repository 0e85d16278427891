"""Erase: delete everything about a person, except a hash of the address that keeps it suppressed."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up, names, required, without
from funnel_app.flows.intake.end import end_all
from funnel_app.flows.privacy.suppress import today
from funnel_app.gateways.errors import GatewayError
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.ledger import (
    contacts,
    email_events,
    emails,
    engagements,
    enrolments,
    hook_events,
    imports,
    lead_events,
    notices,
    outbox,
    outgoing_events,
    pii,
    received_emails,
    requests,
    suppressions,
)
from funnel_app.ledger.database import storage, uncommitted
from funnel_app.ledger.models import Contact, EmailEvent, Request, RequestState, Scope
from funnel_app.rules.people.contact import earlier_addresses

SOURCE = "erase"
FINISHES_FOR = timedelta(days=1)
# One that is under way is left to itself.
BROKEN_OFF_AFTER = timedelta(minutes=5)
# A hook waits for at most this many updates.
AT_A_TIME = 100
NAMED_IN = [*pii.SAID_IN, EmailEvent.__tablename__, imports.Import.__tablename__]
AT_WORK = "An email to this address is being handed to Resend at this moment, and its text is still needed"

log = structlog.get_logger()


class NotYet(Exception):
    """Nothing was erased, since an email is in flight; the message says what to do."""


@dataclass(frozen=True)
class Erased:
    """Whether the address was known, and what is left to do.

    That is: Notion pages that could not be removed, databases that could not be searched, and whether the ledger's file
    still has old pages.
    """

    known: bool
    pages_left: int
    tables_left: int = 0
    traces_left: bool = False


def erase(deps: Deps, address: str) -> Erased:
    """Erase a person, suppress the address by its hash, and remove the pages in Notion.

    Safe to repeat; `finish` also does what is left, of one that broke off too. Raises NotYet, and NotAnAddress.
    Searches run before or after the transaction, so that no hook waits for them.
    """
    email_norm = required(address)
    spellings = {email_norm, address.strip()}
    with deps.sessions.begin() as session:
        contact = contacts.claim(session, email_norm, deps.now())
        if contact is not None:
            _require_unwritten(session, contact, deps.now())
            _stop(deps, session, contact)
            spellings.add(contact.email)
            # An address that was corrected since may be forbidden as well.
            for went_to in [*pii.recipients_of(session, contact.id), *earlier_addresses(contact)]:
                suppressions.forget_address(session, looked_up(went_to))
        _suppress(deps, session, email_norm)
        written = received_emails.erase(session, contact.id if contact else None, email_norm)
        if contact is not None:
            pii.erase(session, contact, email_norm, deps.now())
            engagements.erase(session, contact.id)
            notices.forget(session, f":{contact.id}")
            outgoing_events.forget(session, contact.id)
            outbox.add(session.connection(), lead_events.erased(contact.id, deps.now()), deps.now())
    gone = _forget_elsewhere(deps, email_norm)
    known, left = contact is not None or gone + written > 0, remove_pages(deps)
    strays, tables_left = _remove_strays(deps, sorted(spellings))
    _complete(deps.sessions, email_norm)
    return Erased(known, left + strays, tables_left, traces_left=not _scrub(deps))


def _forget_elsewhere(deps: Deps, email_norm: str) -> int:
    """Forget this person where others are told of; return how many calls named them."""
    # A call, a report or a list that came before and is being committed yet may name them.
    if not uncommitted.wait_for_writers(deps.reads, NAMED_IN, deps.sleep):
        log.warning("erased_beside_writers", hint="the ledger is slow: erase them once more, if a call may name them")
    _forget_reports_and_lists(deps, email_norm)
    return _delete_refused(deps, email_norm) + _leave_others(deps, email_norm)


def _complete(sessions: sessionmaker[Session], email_norm: str) -> None:
    """Keep only the hash of the address, by which `finish` found what was left to do."""
    with sessions.begin() as session:
        suppressions.forget_address(session, email_norm)


def _forget_reports_and_lists(deps: Deps, email_norm: str) -> None:
    """Blank the reports of unknown emails that name this person, and forget the lists at rest that do."""
    with deps.reads() as session:
        orphans = email_events.orphans_naming(session, email_norm)
        lists = imports.resting(session, lambda file: any(names(line, email_norm) for line in file.splitlines()))
    with deps.sessions.begin() as session:
        email_events.blank(session, orphans)
        imports.forget_files(session, lists)


def _delete_refused(deps: Deps, email_norm: str) -> int:
    """Delete the refused calls that name this person; return how many."""
    with deps.reads() as session:
        theirs = [call.id for call in hook_events.refused(session, lambda call: names(call.payload, email_norm))]
    with deps.sessions.begin() as session:
        return hook_events.delete_refused(session, theirs)


def _leave_others(deps: Deps, email_norm: str) -> int:
    """Remove this person from other people's calls, where they are a guest; return how many changed."""
    with deps.reads() as session:
        # Somebody who has come again since keeps what they say of themselves.
        again = contacts.find(session, email_norm)
        own = again.id if again else None
        found = pii.naming(session, email_norm, own, lambda said: names(said, email_norm))
    for first in range(0, len(found), AT_A_TIME):
        with deps.sessions.begin() as session:
            pii.rewrite(session, found[first : first + AT_A_TIME], lambda said: without(said, email_norm))
    return len(found)


def finish(deps: Deps) -> None:
    """Complete erasures: those that broke off, pages in Notion, and for a day old pages of the ledger's file."""
    remove_pages(deps)
    with deps.reads() as session:
        newest = suppressions.newest_of(session, SOURCE)
        broken_off = suppressions.addresses_of(session, SOURCE, deps.now() - BROKEN_OFF_AFTER)
    for email_norm in broken_off:
        _forget_elsewhere(deps, email_norm)
        rows_left, tables_left = _remove_strays(deps, [email_norm])
        log.warning("erasure_had_broken_off", rows_left=rows_left, tables_left=tables_left)
        if not rows_left + tables_left:
            _complete(deps.sessions, email_norm)
    if broken_off or (newest is not None and deps.now() - newest < FINISHES_FOR):
        _scrub(deps)


def _scrub(deps: Deps) -> bool:
    """Truncate the ledger's WAL after the replica has read it; False while a reader needs it."""
    with deps.replica.paused() if deps.replica else nullcontext():
        return storage.scrub(deps.engine)


def remove_pages(deps: Deps) -> int:
    """Trash the Notion pages of erased contacts; return how many are left. Safe to repeat."""
    with deps.reads() as session:
        pages = pii.pages_of_erased(session)
    return sum(not _remove(deps, page_id) for page_id in pages)


def _remove_strays(deps: Deps, addresses: Sequence[str]) -> tuple[int, int]:
    """Remove rows with these addresses that the ledger does not know, made by people or a lost call.

    Returns how many of them are left, and how many databases could not be searched.
    """
    found, tables_left = [], 0
    for table in filter(None, (deps.desk.contacts, deps.desk.sequences)):
        try:
            found += table.find_by_address(addresses)
        except GatewayError:
            tables_left += 1
    with deps.reads() as session:
        # Those of somebody who has come again since; of who was erased, `remove_pages` has those that are left.
        known = pii.known_pages(session, [row.id for row in found])
    return sum(not _trash(deps.notebook, row.id) for row in found if row.id not in known), tables_left


def _trash(notebook: NotionTemplates, page_id: str) -> bool:
    try:
        notebook.trash_page(page_id)
    except GatewayError:
        return False
    return True


def _remove(deps: Deps, page_id: str) -> bool:
    if not _trash(deps.notebook, page_id):
        return False
    with deps.sessions.begin() as session:
        pii.forget_page(session, page_id)
    return True


def _require_unwritten(session: Session, contact: Contact, now: datetime) -> None:
    # The lease keeps a writer from creating the rows again.
    session.refresh(contact)
    if contact.mirror_token is not None and contact.mirror_next_at and contact.mirror_next_at > now:
        raise NotYet("The rows of this person in Notion are being written at this moment. Run this again in a minute.")


def _stop(deps: Deps, session: Session, contact: Contact) -> None:
    reason, now = f"erased at their own wish {today(deps)}", deps.now()
    end_all(session, enrolments.running(session, contact.id), reason, now)
    for email in [email for e in enrolments.of_contact(session, contact.id) for email in e.emails]:
        if email.state == State.SENDING and email.request_id is not None:
            emails.move(session, email, _withdrawn(session, email.request_id, now), now, reason)
        elif email.request_id is not None and _is_repeated(requests.get(session, email.request_id)):
            # Its own outcome is known, but the call is repeated with the same letters until the others' is.
            raise NotYet(f"{AT_WORK} by others that go in the same call. Run this again in a few minutes.")


def _is_repeated(request: Request) -> bool:
    return request.state in requests.UNSETTLED and request.next_attempt_at is not None


def _withdrawn(session: Session, request_id: UUID, now: datetime) -> State:
    """Close a call that will not be repeated; return its only email's state: cancelled, or ambiguous."""
    request = requests.get(session, request_id)
    if len(request.email_ids) > 1:
        raise NotYet(f"{AT_WORK} by others that go in the same call. Run this again when flask trace says it is sent.")
    if request.lease_until is not None and request.lease_until > now:
        raise NotYet(f"{AT_WORK}. Run this again in a minute.")
    in_doubt = request.unknown_since is not None or request.lease_until is not None
    requests.close(request, RequestState.REFUSED, "withdrawn: its recipient was erased")
    return State.AMBIGUOUS if in_doubt else State.CANCELLED


def _suppress(deps: Deps, session: Session, email_norm: str) -> None:
    reason = f"erased at their own wish {today(deps)}; never to be mailed again"
    pepper, now = deps.settings.secret_key, deps.now()
    # Earlier suppressions may reveal the person's actions, and this one covers all mail.
    suppressions.remove(session, email_norm, pepper, now)
    suppressions.add(session, email_norm, pepper, scope=Scope.ALL, reason=reason, source=SOURCE, now=now)
