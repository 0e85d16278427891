"""Serving: the text in Notion now, the version in use, and why there is none."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.reasons import of_template
from funnel_app.deps import Deps
from funnel_app.flows.templates.judged_pages import Reading, keep, read_all, read_one
from funnel_app.gateways.errors import GatewayError, Unavailable
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion

FRESH_FOR = timedelta(seconds=60)
QUIET_FOR = timedelta(minutes=2)
SERVES_FOR = timedelta(hours=24)
LOOKS_WHILE_WAITING = 12
LOOK_EVERY_S = 0.25
WITHDRAWN = {"missing", "not_active", "several_pages"}


class NotReady(Exception):
    """No letter can be made of this template now; the message is the reason, for people."""


def ready_version(deps: Deps, key: str) -> TemplateVersion:
    """Return the version in use, asking Notion at most once a minute; NotReady says why there is none.

    A changed text is adopted once unchanged for two minutes, since people save half-typed; at once if there is no good
    one. While Notion is away the last good version is used for a day.
    """
    latest, adopted = known(deps.reads, key)
    fault = None
    if latest is None or deps.now() - latest.checked_at >= FRESH_FOR:
        fault = _look(deps, key, latest)
        latest, adopted = known(deps.reads, key)
    if latest is None or not is_fresh(latest, deps.now()):
        raise NotReady(f"template {key}: {_why_unread(fault, latest)}")
    version = choose(latest, adopted)
    if version is not adopted:
        _adopt(deps, version)
    return version


def check_templates(deps: Deps) -> dict[str, str]:
    """Read all templates, store and adopt what is due; return why each broken one cannot be sent.

    Raises Unavailable or Rejected.
    """
    readings, _ = read_all(deps)
    keep(deps, readings)
    with deps.reads() as session:
        latest, adopted = template_versions.latest_of_all(session), template_versions.adopted_of_all(session)
    for version in [latest[reading.key] for reading in readings if reading.key in latest]:
        used = adopted.get(version.key)
        if version is not used and version.good and _may_serve_now(version, used):
            _adopt(deps, version)
    return {reading.key: _blocking(reading) for reading in readings if not reading.good}


def why_broken(version: TemplateVersion) -> str:
    """Return why a version cannot be sent, in the words of its reading."""
    return "; ".join(str(problem["detail"]) for problem in version.problems if problem["blocking"])


def _blocking(reading: Reading) -> str:
    return "; ".join(problem.detail for problem in reading.problems if problem.blocking)


def known(reads: sessionmaker[Session], key: str) -> tuple[TemplateVersion | None, TemplateVersion | None]:
    """Return the version last read from Notion, and the one in use."""
    with reads() as session:
        return known_in(session, key)


def known_in(session: Session, key: str) -> tuple[TemplateVersion | None, TemplateVersion | None]:
    """Same as `known`, within this transaction."""
    latest, adopted = template_versions.find_latest(session, key), template_versions.find_adopted(session, key)
    if adopted is None and latest is not None and not latest.good:
        adopted = template_versions.find_good(session, key)
    return latest, adopted


def _adopt(deps: Deps, version: TemplateVersion) -> None:
    with deps.sessions.begin() as session:
        template_versions.adopt(session, version, deps.now())


def _why_unread(fault: str | None, latest: TemplateVersion | None) -> str:
    reason = f"Notion cannot be asked ({fault})" if fault else "another worker has not read it from Notion yet"
    return f"{reason}, and " + (
        "no version of it was ever read" if latest is None else "the last good version is over a day old"
    )


def is_fresh(latest: TemplateVersion, now: datetime) -> bool:
    """Say whether Notion was asked within the last day."""
    return now - latest.checked_at <= SERVES_FOR


def choose(latest: TemplateVersion, adopted: TemplateVersion | None) -> TemplateVersion:
    """Return the version to use, given Notion's and the one in use; NotReady says why there is none."""
    if latest.good and (adopted is None or _may_replace(latest, adopted)):
        return latest
    if adopted is None or (not latest.good and is_withdrawn(latest)):
        raise NotReady(of_template(latest.key, first_fault(latest)))
    return adopted


def _may_serve_now(latest: TemplateVersion, adopted: TemplateVersion | None) -> bool:
    return is_quiet(latest) and (adopted is None or _may_replace(latest, adopted))


def _may_replace(latest: TemplateVersion, adopted: TemplateVersion) -> bool:
    # The version in use may return, as when a page is set to Active again.
    return latest.hash == adopted.hash or (is_quiet(latest) and not is_kept(adopted, latest))


def is_kept(adopted: TemplateVersion, latest: TemplateVersion) -> bool:
    """Say whether an operator pinned this version, and Notion's text has not changed since."""
    return adopted.pinned_at is not None and latest.since_at <= adopted.pinned_at


def is_quiet(version: TemplateVersion) -> bool:
    """Say whether Notion was seen to have a text for two minutes without a change."""
    # What counts is how long Notion was observed with it, as it may have been away since.
    return version.checked_at - version.since_at >= QUIET_FOR


def is_withdrawn(version: TemplateVersion) -> bool:
    """Say whether there is no page to send: none, several, or not Active."""
    return any(problem["code"] in WITHDRAWN for problem in version.problems)


def first_fault(version: TemplateVersion) -> str:
    """Return the first fault that keeps a version from being sent."""
    return str(next(problem["detail"] for problem in version.problems if problem["blocking"]))


def _look(deps: Deps, key: str, latest: TemplateVersion | None) -> str | None:
    """Read the template unless another worker does; return why it could not be read, or None."""
    try:
        if fault := deps.fetch_lock.fault(key):
            return fault
        if deps.fetch_lock.claim(key):
            return _read(deps, key)
        return None if latest is not None and is_fresh(latest, deps.now()) else _wait_for_reader(deps, key)
    except Unavailable as fault:
        return str(fault)


def _read(deps: Deps, key: str) -> str | None:
    try:
        observe(deps, key)
    except GatewayError as fault:
        deps.fetch_lock.give_up(key, str(fault), everywhere=isinstance(fault, Unavailable))
        return str(fault)
    return None


def _wait_for_reader(deps: Deps, key: str) -> str | None:
    """Wait briefly for another worker that reads this template, since there is no other version."""
    for _ in range(LOOKS_WHILE_WAITING):
        deps.sleep(LOOK_EVERY_S)
        latest, _ = known(deps.reads, key)
        if latest is not None and is_fresh(latest, deps.now()):
            return None
        if fault := deps.fetch_lock.fault(key):
            return fault
    return None


def observe(deps: Deps, key: str) -> None:
    """Read a template from Notion and store it as a version, with its verdict.

    Raises Unavailable or Rejected.
    """
    keep(deps, [read_one(deps, key)])
