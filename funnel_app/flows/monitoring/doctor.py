"""Doctor: check everything that an email depends on, and say how to fix what is wrong."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from funnel_app.deps import Deps
from funnel_app.faults import report
from funnel_app.flows.monitoring.check import (
    Check,
    Findings,
    Status,
    fault,
    preventing,
    titles_of,
    warning,
)
from funnel_app.flows.monitoring.checks import (
    backups,
    campaigns,
    clock,
    emails,
    ledger,
    notion,
    outside,
    redis,
    resend,
    season,
    settings,
)
from funnel_app.flows.receipt import iso
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.redact import masked_addresses, secret_hider

log = structlog.get_logger()

__all__ = ["Check", "Status", "examine"]

Probe = Callable[[Deps], Findings]
CHECKS: Mapping[str, Probe] = {
    "python": settings.python,
    "settings": settings.settings,
    "testing mode": settings.testing_mode,
    "email 1": campaigns.first_email,
    "hook secrets": settings.hook_secrets,
    "proxies": settings.proxies,
    "ledger": ledger.shape,
    "ledger place": ledger.where,
    "disk space": ledger.room,
    "backups": backups.backups,
    "replica": backups.replica,
    "clock": clock.clock,
    "redis, scheduler, workers, queues, sending": redis.redis,
    "overdue": redis.overdue,
    "resend key, from domain, resend webhook, resend quota, resend rate, replies": resend.account,
    "resend events": resend.events,
    "notion": notion.notion,
    "notion mirror": notion.mirror,
    "seasons": season.seasons,
    "campaign files": campaigns.older_plans,
    "invariants": emails.invariants,
    "refused calls": emails.refused,
    "undelivered": emails.undelivered,
    "canary": emails.canary,
    "public address": outside.public_address,
    "calendly": outside.calendly,
    "alerts": outside.alerting,
    "heartbeat": outside.heartbeat,
    "events": outside.events,
}


# What keeps all emails from going, and what is late or paused because of it.
PAUSING = frozenset({"clock", "resend key", "from domain", "resend quota"})
STOPPING = PAUSING | {"redis", "scheduler", "workers", "sending"}
CAUSES: Mapping[str, frozenset[str]] = {
    "overdue": STOPPING,
    "canary": STOPPING,
    "sending": PAUSING,
    "invariants": STOPPING | {"templates", "notion token"},
}


def examine(deps: Deps) -> list[Check]:
    """Return every finding, in the order of the table, without secrets or full addresses.

    Changes nothing but what is known of the texts, which are kept as they were read.

    One cause is one fault: the ledger's, if it is away, names the checks that could not run, and what follows from
    another fault is a warning that names it.
    """
    return _masked(_examined(deps))


def _masked(checks: Iterable[Check]) -> list[Check]:
    return [replace(check, detail=masked_addresses(check.detail)) for check in checks]


def _examined(deps: Deps) -> list[Check]:
    hide = secret_hider(deps.settings)
    found = {name: _look(deps, name, look) for name, look in CHECKS.items()}
    unseen = [name for name, checks in found.items() if checks is None]
    checks = [check for each in found.values() for check in each or ()]
    if unseen:
        checks = [_with_unseen(check, unseen) if check.name == "ledger" else check for check in checks]
    return [replace(check, detail=hide(check.detail), fix=hide(check.fix)) for check in _with_causes(checks)]


def _with_causes(checks: Sequence[Check]) -> list[Check]:
    faults = [check.name for check in checks if check.status is Status.FAULT]
    first = [name for name in faults if not CAUSES.get(name, frozenset()) & set(faults)]
    return [_with_cause(check, [name for name in first if name in CAUSES.get(check.name, ())]) for check in checks]


def _with_cause(check: Check, causes: Sequence[str]) -> Check:
    if check.status is not Status.FAULT or not causes:
        return check
    detail = f"{check.detail}; this follows from {titles_of(causes)}"
    return warning(check.name, detail, "nothing here: it goes on by itself once that is fixed")


def _with_unseen(ledger: Check, unseen: Sequence[str]) -> Check:
    """Return the ledger's check with the checks that could not run without it; a fault even if it is back by now."""
    if ledger.status is Status.FAULT:
        return preventing(ledger, unseen)
    return fault(
        "ledger", f"was away for a moment, and {titles_of(unseen)} were not looked at", "run flask doctor again"
    )


def examine_and_keep(deps: Deps) -> list[Check]:
    """Run all checks, and store the findings for the console if Redis is there.

    The stored findings have masked addresses, the returned ones do not.
    """
    checks = _examined(deps)
    found = {"at": iso(deps.now()), "checks": [check.as_json() for check in _masked(checks)]}
    with suppress(Unavailable):
        deps.process_status.keep_examined(json.dumps(found))
    return checks


def _look(deps: Deps, name: str, look: Probe) -> list[Check] | None:
    """Return a check's findings; None if the ledger is away."""
    try:
        return list(look(deps))
    except LedgerUnavailable:
        return None
    except Exception as error:  # one check that crashes must not hide the others
        log.error("check_failed", check=name, exc_info=error)
        report(error)
        words = f"the look itself broke ({type(error).__name__}: {error})"
        return [fault(name, words, "report this with the log's line check_failed; the other checks stand")]


def is_well(checks: Sequence[Check]) -> bool:
    """Say whether there is no fault; warnings are allowed."""
    return all(check.status is not Status.FAULT for check in checks)
