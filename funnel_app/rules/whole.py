"""Whole events: what a calendar says once of all who come to a call, and so of each of them, known yet or not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Event


def digest(email_norm: str) -> str:
    """Return what an address is known by in a list of those who come: the list needs to name nobody."""
    return hashlib.sha256(email_norm.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Who comes to a call, by digest, and where all of it went: to which calendar event, and when that is.

    Without `to` it is off, and then also for those whom the calendar did not list.
    """

    of: frozenset[str]
    to: str = ""
    call_at: datetime | None = None

    def means(self, email_norm: str) -> bool:
        """Say whether it speaks of a person who had a place in the call."""
        return not self.to or digest(email_norm) in self.of

    def as_json(self) -> dict[str, Any]:
        """Return it as the ledger keeps it."""
        return {"of": sorted(self.of), "to": self.to, "call_at": self.call_at.isoformat() if self.call_at else None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Whole":
        """Return what the ledger keeps."""
        call_at = datetime.fromisoformat(kept["call_at"]) if kept["call_at"] else None
        return cls(of=frozenset(kept["of"]), to=kept["to"], call_at=call_at)


@dataclass(frozen=True, kw_only=True)
class WholeWord:
    """One word about all who come to a call, of a time."""

    event: Event
    at: datetime
    whole: Whole
