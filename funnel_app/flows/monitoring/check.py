"""Findings of a check: name, status, evidence, and fix."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from funnel_app.campaigns.spoken import capital, full_stop


class Status(StrEnum):
    """A fault keeps emails from arriving; a warning may become one."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


# How far back a check looks for what went wrong; its words say it too.
RECENT = timedelta(days=7)
# Titles of checks whose names are technical; the names themselves are a contract.
TITLES = {
    "canary": "test email",
    "queues": "jobs",
    "invariants": "emails",
    "hook secrets": "secrets of senders",
    "resend webhook": "resend's address for reports",
    "resend events": "resend's reports",
}


def title_of_check(name: str) -> str:
    """Return the title of a check."""
    return TITLES.get(name, name)


@dataclass(frozen=True)
class Check:
    """One finding; `fix` says what to do unless it is ok."""

    name: str
    status: Status
    detail: str
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain data, by the contract."""
        return asdict(self)


Findings = Iterator[Check]


def ok(name: str, detail: str) -> Check:
    """Return a finding with nothing to do."""
    return Check(name, Status.OK, detail)


def warning(name: str, detail: str, fix: str) -> Check:
    """Return a finding that deserves a look."""
    return Check(name, Status.WARNING, detail, fix)


def fault(name: str, detail: str, fix: str) -> Check:
    """Return a finding that keeps emails from arriving."""
    return Check(name, Status.FAULT, detail, fix)


def one_fault(names: Sequence[str], detail: str, fix: str) -> Check:
    """Return the first name's fault, naming the checks that it prevents: one cause is reported once."""
    return preventing(fault(names[0], detail, fix), names[1:])


def preventing(check: Check, names: Iterable[str]) -> Check:
    """Return a finding that also names, by their titles, the checks that could not run because of it."""
    return replace(check, detail=f"{check.detail}; not looked at meanwhile: {titles_of(names)}")


def titles_of(names: Iterable[str]) -> str:
    """Return the titles of checks; a name may be those of several, with commas."""
    return ", ".join(title_of_check(each) for name in names for each in name.split(", "))


def standing(checks: Iterable[Check], status: str) -> int:
    """Return the number of checks with this status."""
    return sum(check.status == status for check in checks)


def in_sentences(check: Check) -> str:
    """Return what was found and what to do, as whole sentences."""
    return f"{full_stop(check.detail)} {capital(check.fix)}"
