"""Send each receiver its pending events; no transaction is open meanwhile.

A receiver gets one lead's events one at a time, in order, and many leads' at once. A crash between its response and our
record sends an event again, under the same id.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.outbox.body import body_of
from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.gateways.http.receivers import receiver_host, receiver_key, signed_headers
from funnel_app.ledger import contacts, outgoing_events, receivers
from funnel_app.ledger.models.outbox import OutgoingEvent, Receiver

# A stopping process waits for its posts: at most two timeouts.
AT_ONCE, AT_A_TIME = 8, 16
LEASE = timedelta(seconds=30)
GIVES_UP_AFTER = timedelta(days=3)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE_OF_EVENT, LONGEST_PAUSE_OF_RECEIVER = timedelta(hours=6), timedelta(minutes=30)
# A slow receiver delays the others by at most this.
LONGEST_ROUND_S = 5.0

log = structlog.get_logger()

Answers = Mapping[UUID, GatewayError | None]


def publish_events(deps: Deps) -> int:
    """Send each receiver its due events; return how many were accepted. Safe to race."""
    return sum(_publish(deps, url) for url in deps.settings.events_webhook_urls)


def _publish(deps: Deps, url: str) -> int:
    taken, ends_at = 0, time.monotonic() + LONGEST_ROUND_S
    while time.monotonic() < ends_at:
        batch = _take(deps, receiver_key(url))
        if not batch:
            break
        answers = _offer(deps, url, batch)
        _settle(deps, url, batch, answers)
        taken += sum(error is None for error in answers.values())
    return taken


def _take(deps: Deps, key: str) -> list[OutgoingEvent]:
    now = deps.now()
    with deps.reads() as session:
        known = receivers.find(session, key)
        if known and _rests(known, now):
            return []
        if not outgoing_events.any_free(session, key, now):
            return []
    # A failed receiver is tried with one event first.
    limit = 1 if known and known.failures else AT_A_TIME
    with deps.sessions.begin() as session:
        # Takes the turn: the lease counts from when they are taken.
        session.connection()
        return outgoing_events.take(session, key, deps.now(), LEASE, limit)


def _rests(receiver: Receiver, now: datetime) -> bool:
    # Further ahead than any delay: written by a wrong clock.
    until = receiver.resting_until
    return until is not None and now < until <= now + LONGEST_PAUSE_OF_RECEIVER


def _offer(deps: Deps, url: str, batch: Sequence[OutgoingEvent]) -> Answers:
    """Return each event's error; None if the receiver accepted it."""
    with deps.reads() as session:
        people = contacts.by_ids(session, {event.contact_id for event in batch})
    away: list[GatewayError] = []

    def post(event: OutgoingEvent) -> GatewayError | None:
        # The other calls would fail the same way.
        if away:
            return away[0]
        body = body_of(event, people[event.contact_id], deps.registry)
        at_s = int(deps.now().timestamp())
        headers = signed_headers(deps.settings.events_webhook_secrets, str(event.event_id), at_s, body)
        try:
            deps.receivers.post(url, body, headers)
        except Rejected as error:
            return error
        except GatewayError as error:
            away.append(error)
            return error
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip([event.id for event in batch], pool.map(post, batch), strict=True))


def _settle(deps: Deps, url: str, batch: Sequence[OutgoingEvent], answers: Answers) -> None:
    now, key = deps.now(), receiver_key(url)
    taken = [id_ for id_, error in answers.items() if error is None]
    with deps.sessions.begin() as session:
        outgoing_events.mark_taken(session, taken, now)
        _put_off(session, batch, answers, now)
        error = next((error.message for error in answers.values() if error), "")
        if taken:
            receivers.works(session, key)
        else:
            _let_rest(session, key, error, now)
        given_up = outgoing_events.give_up(session, key, now - GIVES_UP_AFTER, now, error) if error else 0
    if error or given_up:
        log.warning("events_not_taken", receiver=receiver_host(url), error=error, taken=len(taken), given_up=given_up)


def _put_off(session: Session, batch: Sequence[OutgoingEvent], answers: Answers, now: datetime) -> None:
    """Postpone events refused for themselves, and requeue those of an unavailable receiver."""
    for event in batch:
        if isinstance(error := answers[event.id], Rejected):
            until = now + _pause(event.attempts, LONGEST_PAUSE_OF_EVENT)
            outgoing_events.postpone(session, event.id, until, error.message)
    away = [id_ for id_, error in answers.items() if error is not None and not isinstance(error, Rejected)]
    if away:
        outgoing_events.put_back(session, away)


def _let_rest(session: Session, key: str, error: str, now: datetime) -> None:
    known = receivers.lock(session, key)
    receivers.rest(known, now, now + _pause(known.failures, LONGEST_PAUSE_OF_RECEIVER), error)


def _pause(failures: int, longest: timedelta) -> timedelta:
    return min(FIRST_PAUSE * (1 << min(failures, 16)), longest)
