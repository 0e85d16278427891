"""Mirror: update the rows in Notion from the ledger, many changes in one write, yielding to emails.

One writer a person: it has a lease in the ledger, searches Notion for rows of the address before creating one, and
keeps the lease if it cannot know whether Notion created one. So no row is created twice.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.mirror.shown_call import shown_call
from funnel_app.flows.mirror.write import AFTER_A_REFUSAL, LEASE, Person, Rows, Tally, release
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.notion.workspace import NotionWorkspace
from funnel_app.gateways.redis.queue import mirror_job
from funnel_app.ledger import bookings, contacts, hook_events, mirrored, suppressions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.mirrored import Mirrors
from funnel_app.ledger.models import Contact, Enrolment, Scope
from funnel_app.ledger.models.types import new_id
from funnel_app.rules.states import HEARD

LOCK = "mirror"
LOCKED_FOR_S = 90.0
SLICE = timedelta(seconds=20)
PEOPLE_AT_ONCE = 10
# Changes within this time are written together.
SETTLES_IN = timedelta(seconds=3)
OTHER_TURN = {"tick": "tock", "tock": "tick"}

log = structlog.get_logger()


def mirror(deps: Deps, turn: str) -> Tally:
    """Write outdated rows for up to 20 s, until an email waits; queue the next run if more is left.

    Only one such job runs at a time, so that at most one worker waits for Notion.
    """
    tally, owner = Tally(), str(new_id())
    if not deps.desk.mirrors or not deps.queues.own(LOCK, owner, LOCKED_FOR_S):
        return tally
    ends = deps.now() + SLICE

    def stop() -> bool:
        return deps.now() >= ends or deps.queues.emails_wait()

    try:
        more = True
        while more and not stop():
            more = mirror_some(deps, tally, stop, settled=SETTLES_IN)
    except Unavailable as fault:
        log.warning("mirror_waits", error=str(fault), retry_after=fault.retry_after)
        more = False
    finally:
        deps.queues.disown(LOCK, owner)
    if more:
        deps.queues.push([mirror_job(OTHER_TURN[turn])])
    return tally


def mirror_is_behind(deps: Deps) -> bool:
    """Say whether rows need to be written now."""
    now = deps.now()
    if not deps.desk.mirrors:
        return False
    with deps.reads() as session:
        return bool(mirrored.stale(session, mirrors_of(deps.desk), now - SETTLES_IN, now, 1))


def mirrors_of(desk: NotionWorkspace) -> Mirrors:
    """Return which tables are mirrored."""
    return Mirrors(contacts=desk.contacts is not None, sequences=desk.sequences is not None)


def mirror_some(
    deps: Deps, tally: Tally, stop: Callable[[], bool] = lambda: False, settled: timedelta = timedelta(0)
) -> bool:
    """Write the rows of the next few people; False if none are outdated. Safe to race.

    Raises Unavailable if Notion cannot be reached; unwritten rows stay outdated, and nothing is lost.
    """
    token = new_id()
    ids = _claim(deps, token, settled)
    if not ids:
        return False
    rows = Rows(deps, token, tally)
    left = list(ids)
    try:
        people = _load(deps, ids)
        rows.look_up(people)
        while people and not stop():
            if rows.write(people.pop(0)):
                left.pop(0)
            else:
                break
    except Rejected as refusal:
        # The search itself was refused, which concerns all of them.
        tally.refused.append(str(refusal))
        release(deps, left, token, wait=AFTER_A_REFUSAL, error=str(refusal))
        return False
    finally:
        release(deps, [each for each in left if each not in rows.doubtful], token)
    return not rows.blocked


@retry_on_conflict
def _claim(deps: Deps, token: UUID, settled: timedelta) -> list[UUID]:
    now = deps.now()
    with deps.sessions.begin() as session:
        behind = mirrored.stale(session, mirrors_of(deps.desk), now - settled, now, PEOPLE_AT_ONCE)
        contacts.lock(session, behind)
        return mirrored.claim(session, behind, now, token, now + LEASE) if behind else []


def _load(deps: Deps, ids: Sequence[UUID]) -> list[Person]:
    with deps.reads() as session:
        return [_person(deps, session, contact, enrolments) for contact, enrolments in mirrored.load(session, ids)]


def _person(deps: Deps, session: Session, contact: Contact, enrolments: Sequence[Enrolment]) -> Person:
    hooks = [hook for hook in hook_events.of_contact(session, contact.id) if hook.outcome in HEARD]
    call = shown_call(hooks, bookings.of_contact(session, contact.id), deps.now())
    suppressed = suppressions.find(session, contact.email_norm, deps.settings.secret_key, Scope.MARKETING) is not None
    return Person(contact, enrolments, hooks, call, suppressed)
