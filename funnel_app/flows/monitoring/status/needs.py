"""Needs: what needs a person, a clause each, except what a stop of sending already explains."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.received_calls import waits_for_fix
from funnel_app.flows.monitoring.alerts.alarms import BROKEN_TEXT
from funnel_app.flows.monitoring.alerts.alert_words import without_link
from funnel_app.flows.monitoring.alerts.incidents import name_of
from funnel_app.flows.monitoring.status.ready import NO_WORKER
from funnel_app.flows.sending.sending_status import pause_words
from funnel_app.ledger import hook_events, pauses
from funnel_app.ledger.models import HookEvent
from funnel_app.ledger.models.watch import Incident
from funnel_app.ledger.queries import counts, today

MOST = 1000
# A stop of sending already says these.
OF_STOPS = frozenset(
    {"redis_away", "scheduler_silent", "sending_paused", "resend_away", "clock_jumped", "ledger_away", "ledger_damaged"}
)
# Counted at each call, so never stale.
COUNTED = frozenset({"held", "ambiguous", "calls_refused"})
# Expected while sending is stopped.
OF_WAITING = frozenset({"worker_gone", "overdue", "stuck"})


class NeedKind(StrEnum):
    """Where a need comes from."""

    HELD = "held"
    INCIDENT = "incident"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    PAUSED = "paused"


@dataclass(frozen=True)
class Held:
    """Emails held by the same fault."""

    key: str
    reason: str
    count: int
    since: datetime | None


@dataclass(frozen=True)
class Need:
    """One thing that needs a person, as a clause; all emails in doubt are one, as are all refused calls.

    `about` is the held emails, the incident, the refused calls (oldest first), or the paused sequence as
    `campaign/sequence`.
    """

    words: str
    kind: NeedKind
    about: Held | Incident | tuple[HookEvent, ...] | str | None = None

    def __str__(self) -> str:
        return self.words


def needs(deps: Deps, session: Session, present: Iterable[Incident], *, stopped: bool) -> list[Need]:
    """Return what needs a person, among it the present incidents that no stop explains, in their order."""
    left_out = OF_STOPS | COUNTED | (OF_WAITING if stopped else frozenset())
    told = [each for each in present if each.kind not in left_out and (stopped or not is_of_all_workers(each))]
    held = _held_now(session)
    # Emails held by one template are one thing to fix.
    keys = {each.key for each in held} | ({""} if held else set())
    told = [each for each in told if each.kind != BROKEN_TEXT or each.subject not in keys]
    paused = [each for each in pauses.standing(session, deps.now()) if not each.of_everything]
    return [
        *(Need(_held(deps.registry, each), NeedKind.HELD, each) for each in held),
        *(Need(_of_incident(deps.registry, each), NeedKind.INCIDENT, each) for each in told),
        *_ambiguous(session),
        *_refused(session),
        *(Need(pause_words(deps, each), NeedKind.PAUSED, f"{each.campaign}/{each.sequence}") for each in paused),
    ]


def words_of_counted(deps: Deps) -> dict[str, str]:
    """Return the headline's words on held and ambiguous emails, by their kind of alarm; of several texts the first."""
    with deps.reads() as session:
        held, words = _held_now(session), {str(need.kind): need.words for need in _ambiguous(session)}
    others = sum(each.count for each in held[1:])
    more = f", and {things(others, 'email')} of other texts" if others else ""
    return words | ({NeedKind.HELD: f"{_held(deps.registry, held[0])}{more}"} if held else {})


def is_of_all_workers(incident: Incident) -> bool:
    """Say whether no worker was left, which is a stop of sending: while one of several is missing, emails go."""
    return incident.kind == "worker_gone" and incident.detail.startswith(NO_WORKER)


def detail_of(registry: Registry, incident: Incident) -> str:
    """Return an incident's detail as part of a sentence: titles for emails, no links."""
    return without_link(registry.in_titles(incident.detail))


def _of_incident(registry: Registry, incident: Incident) -> str:
    return f"{name_of(registry, incident)}: {detail_of(registry, incident).rstrip('.')}"


def _held_now(session: Session) -> list[Held]:
    return [Held(key, why or "no reason given", n, at) for key, why, n, at in today.held_by_reason(session, MOST)]


def _held(registry: Registry, held: Held) -> str:
    why = registry.in_titles(held.reason, beside=held.key).rstrip(".")
    return f"{things(held.count, 'email')} of “{registry.title_of_email(held.key)}” cannot be made: {why}"


def _ambiguous(session: Session) -> Iterable[Need]:
    if number := counts.in_state(session, State.AMBIGUOUS):
        yield Need(f"{things(number, 'email')} may have gone out, and nobody knows", NeedKind.AMBIGUOUS)


def _refused(session: Session) -> Iterable[Need]:
    newest = hook_events.newest_refused(session, None, MOST)
    if calls := tuple(call for call in reversed(newest) if waits_for_fix(call)):
        waits = "waits" if len(calls) == 1 else "wait"
        words = f"{things(len(calls), 'call')} could not be used and {waits} for a correction"
        yield Need(words, NeedKind.REFUSED, calls)
