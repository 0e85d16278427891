"""What a check finds: a name, how it stands, the evidence, and what to do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a thing stands: a fault keeps emails from arriving, a warning may come to that."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


# What people call a check whose name is a programmer's word; the names themselves are by the contract.
TITLES = {
    "canary": "test email",
    "queues": "jobs",
    "invariants": "emails",
    "hook secrets": "secrets of senders",
    "resend webhook": "resend's address for reports",
    "resend events": "resend's reports",
}


def title_of_check(name: str) -> str:
    """Return what people call a check."""
    return TITLES.get(name, name)


@dataclass(frozen=True)
class Check:
    """One finding; `fix` says what to do where it is not ok."""

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
    """Return a finding that should be looked at."""
    return Check(name, Status.WARNING, detail, fix)


def fault(name: str, detail: str, fix: str) -> Check:
    """Return a finding that keeps emails from arriving."""
    return Check(name, Status.FAULT, detail, fix)


def one_fault(names: Sequence[str], detail: str, fix: str) -> Check:
    """Return the fault of the first name, which says what else cannot be looked at for it: one cause is told once."""
    return fault(names[0], f"{detail}; not looked at meanwhile: {', '.join(names[1:])}", fix)


def standing(checks: Iterable[Check], status: str) -> int:
    """Return how many checks stand so."""
    return sum(check.status == status for check in checks)


def count(number: int, what: str) -> str:
    """Return a number of things in words: 1 email, 2 emails."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
