"""Whole events: a calendar's message about all attendees at once, known to us or not yet."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Event


def digest(email_norm: str) -> str:
    """Return the digest by which an attendee is listed, so that the list holds no addresses."""
    return hashlib.sha256(email_norm.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Whole:
    """All attendees of an event, by digest, and where it was moved: to which event, and when that is.

    Without `to` it is cancelled, then also for attendees whom the calendar did not list.
    """

    of: frozenset[str]
    to: str = ""
    call_at: datetime | None = None

    def means(self, email_norm: str) -> bool:
        """Say whether it applies to a person who had a seat in the event."""
        return not self.to or digest(email_norm) in self.of

    def as_json(self) -> dict[str, Any]:
        """Return it as the ledger stores it."""
        return {"of": sorted(self.of), "to": self.to, "call_at": self.call_at.isoformat() if self.call_at else None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Whole":
        """Return it from what the ledger stores."""
        call_at = datetime.fromisoformat(kept["call_at"]) if kept["call_at"] else None
        return cls(of=frozenset(kept["of"]), to=kept["to"], call_at=call_at)


@dataclass(frozen=True, kw_only=True)
class WholeWord:
    """A message about all attendees, with its time."""

    event: Event
    at: datetime
    whole: Whole
