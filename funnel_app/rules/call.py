"""What a hook says, in the funnel's own words, whoever called it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Event
from funnel_app.rules.caller import caller_key, mailbox_of
from funnel_app.rules.exit import Happening
from funnel_app.rules.plan import FirstEmail
from funnel_app.rules.series import Series
from funnel_app.rules.whole import Whole

LONGEST_NAME = 255
# Sources that prove who they are by their own signature: no robot fills in a form of theirs.
CALENDARS = frozenset({"calendly", "calcom"})
# A list that a person imports who may, at the machine's keyboard or logged in to the console.
IMPORT = "import"


def fitted(name: str) -> str:
    """Return a name that fits the ledger's columns: a longer one keeps its beginning, and differs by its hash."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 65]}-{hashlib.sha256(name.encode()).hexdigest()}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One thing that happened to one person.

    `occurrence` names the calendar event, `call_at` is when that call is or was, and `happened_at` when the source
    says that this happened: what comes out of order is put in order by it. `received_at` is when a replayed call first
    came: its emails count from then, and are late; `begins_at` is from when they count where that is yet to come.
    `variables` are for templates. `left_out` says of fields that the
    call could do without why they were left out or corrected.

    `place` names the person's place in the calendar event, where its calendar has places; `series` is what that event
    is one of, and `ends_series` what a cancellation gives up beside it. `whole` says that all who come are meant.
    """

    campaign: str
    hook: str
    event: Event
    email: str
    email_norm: str
    contact: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, list[str]] = field(default_factory=dict)
    source: str = "website"
    occurrence: str = ""
    place: str = ""
    series: Series | None = None
    ends_series: Series | None = None
    whole: Whole | None = None
    happened_at: datetime | None = None
    call_at: datetime | None = None
    received_at: datetime | None = None
    begins_at: datetime | None = None
    first: FirstEmail = field(default_factory=FirstEmail)
    idempotency_key: str | None = None

    @property
    def by_calendar(self) -> bool:
        """Say whether a calendar made it, which proved who it is."""
        return self.source in CALENDARS

    @property
    def may_be_many(self) -> bool:
        """Say whether a robot cannot have made it, so that no number of them is too many."""
        return self.by_calendar or self.source == IMPORT

    @property
    def consent_ip(self) -> str | None:
        """The IP address that the consent names; None where it names none."""
        ip = self.contact.get("consent_ip")
        return str(ip) if ip else None

    @property
    def caller(self) -> str | None:
        """Under which key the visitor is counted whom the consent names; None where it names no IP address."""
        return caller_key(self.consent_ip) if self.consent_ip else None

    @property
    def mailbox(self) -> str:
        """Under which key the address is counted."""
        return mailbox_of(self.email_norm)

    def happening(self, now: datetime) -> Happening:
        """Return the event at its source; one that does not say when it happened, happened now."""
        at = self.happened_at or self.received_at or now
        return Happening(event=self.event, occurrence=self.occurrence, at=at, call_at=self.call_at)
