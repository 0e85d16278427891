"""Calls: what a hook says, in one form, whoever sent it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.series import Series
from funnel_app.rules.calendar.whole import Whole
from funnel_app.rules.people.caller import caller_key, mailbox_of
from funnel_app.rules.sequences.exit import Happening
from funnel_app.rules.sequences.plan import FirstEmail

LONGEST_NAME = 255
# Sources with a signature of their own: no robot fills in their forms.
CALENDARS = frozenset({"calendly", "calcom"})
# A list imported by an operator, from the command line or the console.
IMPORT = "import"
# A sequence started by an operator: in the console, in Notion or on the command line.
BY_HAND = "keyboard"


def fitted(name: str) -> str:
    """Return a name that fits the ledger's columns: a longer one is cut and made unique by its hash."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 65]}-{hashlib.sha256(name.encode()).hexdigest()}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One thing that happened to one person.

    `occurrence` is the calendar event's id, `call_at` its start, and `happened_at` when this happened at the source, by
    which late messages are put in order. `received_at` is when a replayed call first arrived: its emails count from
    then and are late. `begins_at` is a start in the future. `variables` are for templates. `left_out` says which
    optional fields were dropped or corrected, and why.

    `place` is the person's seat in a calendar event with several; `series` is the series it belongs to, `ends_series`
    the series that a cancellation also ends. `whole` means all attendees.
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
        """Say whether a calendar sent it, with a valid signature."""
        return self.source in CALENDARS

    @property
    def by_hand(self) -> bool:
        """Say whether an operator starts a sequence for somebody."""
        return self.source == BY_HAND

    @property
    def may_be_many(self) -> bool:
        """Say whether no robot can have sent it, so that the limits on forms do not apply."""
        return self.by_calendar or self.source == IMPORT

    @property
    def consent_ip(self) -> str | None:
        """The IP address in the consent; None if it has none."""
        ip = self.contact.get("consent_ip")
        return str(ip) if ip else None

    @property
    def caller(self) -> str | None:
        """The key under which the visitor's IP address is counted; None without one."""
        return caller_key(self.consent_ip) if self.consent_ip else None

    @property
    def mailbox(self) -> str:
        """The key under which the address is counted."""
        return mailbox_of(self.email_norm)

    def happening(self, now: datetime) -> Happening:
        """Return the event at its source; one without a time happened now."""
        at = self.happened_at or self.received_at or now
        return Happening(event=self.event, occurrence=self.occurrence, at=at, call_at=self.call_at)
