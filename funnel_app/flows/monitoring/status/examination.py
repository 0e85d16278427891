"""Examination: what the doctor's last run found, and which of its faults nothing else reports."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from funnel_app.flows.monitoring.check import Check, Status, fault, ok, standing
from funnel_app.flows.monitoring.status.ready import Part, Stop
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.process_status import ProcessStatus

# Checks whose faults have an alarm of their own.
ALSO_WATCHED = frozenset(
    {
        "redis",
        "redis eviction",
        "redis persistence",
        "redis access",
        "scheduler",
        "workers",
        "queues",
        "sending",
        "overdue",
    }
    | {"backups", "replica", "heartbeat", "disk space", "clock"}
    | {"resend events", "public address", "canary", "invariants"}
    | {"notion token", "templates"}
)
# Of these the headline asks itself, at each call.
ASKED_ANYWAY = frozenset(
    {"redis", "redis eviction", "redis persistence", "redis access", "scheduler", "workers"}
    | {"overdue", "invariants", "templates"}
)
# Within this time a fault that lasts is noted by its alarm, and the checks are made again.
NEW_FOR = timedelta(minutes=2)
# Transient states, checked again each time the result is shown.
HEARD_OF = frozenset({Part.REDIS, Part.SCHEDULER, Part.WORKERS})


@dataclass(frozen=True)
class Examination:
    """The result of the last run of all checks."""

    at: datetime
    checks: tuple[Check, ...]

    def counted(self, status: str) -> int:
        """Return the number of checks with this status."""
        return standing(self.checks, status)

    @property
    def amiss(self) -> list[Check]:
        """The findings that are not ok, worst first."""
        faults = [check for check in self.checks if check.status is Status.FAULT]
        return faults + [check for check in self.checks if check.status is Status.WARNING]


def with_present(examined: Examination, found: Sequence[Stop]) -> Examination:
    """Return an examination with the transient checks replaced by their present state."""
    silent = {str(stop.part): stop.words for stop in found}
    return replace(examined, checks=tuple(_present(check, silent) for check in examined.checks))


def _present(check: Check, silent: Mapping[str, str]) -> Check:
    if check.name in silent:
        return fault(check.name, silent[check.name], check.fix)
    is_there_again = check.name in HEARD_OF and check.status is Status.FAULT
    return ok(check.name, "there") if is_there_again else check


def last_examination(process_status: ProcessStatus) -> Examination | None:
    """Return the findings of the last run; None if there was none within a day, or Redis is away."""
    try:
        kept = process_status.examined()
    except Unavailable:
        return None
    if kept is None:
        return None
    found = json.loads(kept)
    checks = (Check(**{**check, "status": Status(check["status"])}) for check in found["checks"])
    return Examination(datetime.fromisoformat(found["at"]), tuple(checks))


def unwatched_faults(checks: Iterable[Check]) -> list[Check]:
    """Return the faults that have no alarm of their own; those that fail for a common cause are one."""
    by_cause: dict[str, Check] = {}
    for check in checks:
        if check.status is Status.FAULT:
            by_cause.setdefault(check.detail, check)
    return [check for check in by_cause.values() if check.name not in ALSO_WATCHED]


def new_faults(examined: Examination, now: datetime) -> list[str]:
    """Return the names of checks whose fault was found just now, and whose alarm waits whether it lasts."""
    waits = ALSO_WATCHED - ASKED_ANYWAY
    found = [check.name for check in examined.checks if check.status is Status.FAULT and check.name in waits]
    return found if abs(now - examined.at) <= NEW_FOR else []
