"""Incidents: open what is found, close what is over, and queue one notification for each.

A state is over once it is gone. What happens, as a bounce, is found by its probe until an hour after the last of it
(undelivered.py, refused_calls.py), so that many are one incident.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from textwrap import shorten
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, BROKEN_TEXT, DOCTOR, title_of
from funnel_app.flows.monitoring.alerts.alert_words import OVER, began
from funnel_app.flows.monitoring.check import title_of_check
from funnel_app.ledger import incidents, notices
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models.watch import Incident
from funnel_app.redact import redactor

CHANNEL = notices.ALERTS
# A flapping fault is one incident: it is over once unseen for this long, and that is told within two minutes.
OVER_AFTER = timedelta(seconds=100)
LONGEST_DETAIL = 500
KEPT_FOR = timedelta(days=90)

log = structlog.get_logger()

# Details by kind and subject.
Found = Mapping[tuple[str, str], str]


@retry_on_conflict
def note(deps: Deps, found: Found, looked_at: Collection[str]) -> None:
    """Update the incidents of the checked kinds to what was found. Safe to race."""
    kinds = {*looked_at, *(kind for kind, _ in found)}
    if not kinds:
        return
    now, redact = deps.now(), redactor(deps.settings)
    details = {key: cut(redact(detail)) for key, detail in found.items()}
    with deps.reads() as session:
        if not details and not incidents.current(session, kinds):
            return
    with deps.sessions.begin() as session:
        for (kind, subject), detail in details.items():
            if incidents.begin(session, kind, subject, detail, now):
                log.warning("incident_began", kind=kind, subject=subject, detail=detail)
        for incident in incidents.lock_current(session, kinds):
            _bring_up(deps, session, incident, details.get((incident.kind, incident.subject)), now)


def _bring_up(deps: Deps, session: Session, incident: Incident, detail: str | None, now: datetime) -> None:
    if detail is not None:
        incident.seen_at, incident.detail = now, detail
        alarm = ALARMS.get(incident.kind)
        if incident.notified_at is None and (alarm is None or now - incident.opened_at >= alarm.patience):
            incident.notified_at = now
            text = began(
                deps.settings,
                incident.kind,
                name_of(deps.registry, incident),
                deps.registry.in_titles(detail),
                incident.subject,
            )
            _keep_word(session, incident, "began", text, now)
    # Seen in the future: the clock was ahead and has been corrected.
    elif incident.notified_at is None or abs(now - incident.seen_at) >= OVER_AFTER:
        incident.ended_at = now
        log.info("incident_ended", kind=incident.kind, subject=incident.subject, told=incident.notified_at is not None)
        if incident.notified_at is not None:
            _keep_word(
                session, incident, "ended", f"{OVER}{name_of(deps.registry, incident)}{_how_it_was(incident)}", now
            )


@retry_on_conflict
def put_incident_aside(deps: Deps, incident_id: UUID, word: str) -> str | None:
    """Close an event's incident on an operator's word, which the chat is told; return its title, None if it lasts."""
    with deps.sessions.begin() as session:
        incident = incidents.find_current(session, incident_id)
        alarm = ALARMS.get(incident.kind) if incident else None
        if incident is None or alarm is None or alarm.quiet_for is None:
            return None
        incident.ended_at, incident.put_aside, title = deps.now(), word, name_of(deps.registry, incident)
        if incident.notified_at is not None:
            said = f"{OVER}{title}: {redactor(deps.settings)(word)}"
            _keep_word(session, incident, "ended", said, deps.now())
    return title


def cut(detail: str) -> str:
    """Return a detail no longer than is kept of one, cut between words."""
    return shorten(detail, LONGEST_DETAIL, placeholder=" …")


def _keep_word(session: Session, incident: Incident, what: str, text: str, now: datetime) -> None:
    notices.add(session, f"incident:{incident.id}:{what}", CHANNEL, text, now)


def name_of(registry: Registry, incident: Incident) -> str:
    """Return an incident's title: what is wrong, and with what."""
    # Emails, checks and imports are named by title, not by key.
    about = registry.in_titles(incident.subject)
    if incident.kind == BROKEN_TEXT:
        about = registry.title_of_email(incident.subject) if about else ""
    elif incident.kind == DOCTOR:
        about = registry.in_titles(title_of_check(incident.subject))
    return title_of(incident.kind) + (f" ({about})" if about else "")


def _how_it_was(incident: Incident) -> str:
    alarm = ALARMS.get(incident.kind)
    if alarm is not None and alarm.quiet_for is not None:
        return f": {incident.detail}; none in the last {_lasted(alarm.quiet_for)}"
    return f" (it lasted {_lasted(incident.seen_at - incident.opened_at)})"


def _lasted(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 120:
        return f"{max(minutes, 1)} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


def forget_old(deps: Deps) -> int:
    """Delete incidents and notifications that ended a quarter of a year ago; return how many."""
    before = deps.now() - KEPT_FOR
    with deps.sessions.begin() as session:
        return incidents.delete_ended_before(session, before) + notices.delete_sent_before(session, before)
