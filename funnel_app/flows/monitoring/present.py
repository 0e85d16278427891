"""Present: the incidents that count now, on every page and in every chat at the same time.

An incident is noted some seconds after its begin and ends minutes after its last sighting, so that what flaps is told
once. So what costs little is asked again here: what is over counts no more, and what failed just now does.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.states import BADLY_ENDED
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, BROKEN_TEXT, DOCTOR, NOTION_AWAY
from funnel_app.flows.monitoring.alerts.incidents import cut
from funnel_app.flows.monitoring.check import in_sentences
from funnel_app.flows.monitoring.probes.templates import broken_texts
from funnel_app.flows.monitoring.probes.watch import ALARM_OF, LATENESS, LOOKS, PAUSES, invariants_broken, look
from funnel_app.flows.monitoring.status.examination import Examination, unwatched_faults
from funnel_app.flows.monitoring.status.going_out import why_late
from funnel_app.flows.monitoring.status.needs import COUNTED
from funnel_app.flows.monitoring.status.ready import Part, Stop
from funnel_app.ledger import incidents, template_versions
from funnel_app.ledger.models.watch import Incident
from funnel_app.redact import redactor, secret_hider

# Over once unseen for this long, where nothing can be asked again at once: the watch looks each ten seconds.
SEEN_WITHIN = timedelta(minutes=1)
# Their tasks look less often, and end them.
SELDOM_LOOKED_AT = frozenset({DOCTOR, BROKEN_TEXT, NOTION_AWAY, "backup_failed", "heartbeat_failed"})
# The public address is asked over the network; what waits for a person is counted at each call.
NOT_ASKED_AGAIN = COUNTED | {"web_away", *LATENESS}
# What the headline calls a stop at once is shown at once; the alert of it waits whether it lasts.
OF_STOP = {**ALARM_OF, Part.LEDGER: "ledger_away", Part.REDIS: "redis_away"}
Key = tuple[str, str]


def present_incidents(
    deps: Deps, stopped: Sequence[Stop], examined: Examination | None, late: int, *, whole: bool
) -> list[Incident]:
    """Return the incidents that count now, first those that are noted, oldest first; none is in a session.

    What is `stopped` counts at once; `late` is how many emails go out since a stop is over. With `whole` what did not
    arrive is told with full addresses.
    """
    now = deps.now()
    with deps.reads() as session:
        noted = {(each.kind, each.subject): each for each in incidents.current(session)}
    found, covered = _look_again(deps, noted, examined, late, () if stopped else PAUSES.values())
    stopping = {(OF_STOP[stop.part], ""): stop.words for stop in stopped}
    found |= stopping
    present = [each for key, each in noted.items() if key in stopping or _counts(each, key in found, covered, now)]
    new = [key for key in found if key not in noted and (key in stopping or not _patience(key[0]))]
    present += [_fresh(key, examined.at if examined and key[0] == DOCTOR else now) for key in new]
    hide, redact = secret_hider(deps.settings), redactor(deps.settings)
    for each in present:
        hidden = hide if whole and each.kind in BADLY_ENDED else redact
        each.detail = cut(hidden(found.get((each.kind, each.subject), each.detail)))
    return present


def is_reported(incident: Incident, now: datetime) -> bool:
    """Say whether an incident has lasted long enough to count."""
    return incident.notified_at is not None or now - incident.opened_at >= _patience(incident.kind)


def _patience(kind: str) -> timedelta:
    # A chat hears of events together, and of a broken text when nobody types any more; pages show both at once.
    alarm = ALARMS.get(kind)
    return timedelta(0) if alarm is None or alarm.quiet_for or kind == BROKEN_TEXT else alarm.patience


def _look_again(
    deps: Deps, noted: Mapping[Key, Incident], examined: Examination | None, late: int, others: Collection[str]
) -> tuple[dict[Key, str], set[str]]:
    """Return what is found now, by kind and subject, and the kinds that were looked for: those noted, and `others`."""
    kinds = {kind for kind, _ in noted} - NOT_ASKED_AGAIN | {*BADLY_ENDED, *others}
    found, covered = look(deps, tuple(each for each in LOOKS if kinds & set(each.kinds)))
    found |= _late_for_no_reason(deps, late) | broken_texts(deps)
    covered |= {*LATENESS, BROKEN_TEXT}
    if examined:
        found |= {(DOCTOR, check.name): in_sentences(check) for check in unwatched_faults(examined.checks)}
        covered.add(DOCTOR)
    if (NOTION_AWAY, "") in noted and _was_read_since(deps.reads, noted[NOTION_AWAY, ""].seen_at):
        covered.add(NOTION_AWAY)
    return found, covered


def _late_for_no_reason(deps: Deps, late: int) -> dict[Key, str]:
    broken = {(kind, about): detail for kind, about, detail in invariants_broken(deps, LATENESS)}
    return {} if broken and why_late(deps, late) else broken


def _was_read_since(reads: sessionmaker[Session], since: datetime) -> bool:
    with reads() as session:
        return template_versions.any_read_since(session, since)


def _counts(incident: Incident, is_found: bool, covered: Collection[str], now: datetime) -> bool:
    if incident.kind in covered:
        return is_found and is_reported(incident, now)
    seldom = incident.kind in SELDOM_LOOKED_AT
    return is_reported(incident, now) and (seldom or abs(now - incident.seen_at) <= SEEN_WITHIN)


def _fresh(key: Key, at: datetime) -> Incident:
    # Never added to a session: the watch notes the one that lasts. A page that looks again finds the same id.
    kind, subject = key
    return Incident(id=uuid5(NAMESPACE_URL, f"{kind} {subject}"), kind=kind, subject=subject, opened_at=at, seen_at=at)
