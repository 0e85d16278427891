"""The journey of `make e2e-live`: its lead's steps, and their expected results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.scenario import ASSESSMENT, CALENDLY_API, CALL_IN_INTERVALS, now

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Journey:
    """The journey's lead and call; the interval comes from the first answer."""

    address: str
    name: str
    interval: timedelta = timedelta(0)
    call_at: datetime = NEVER

    def book(self) -> dict[str, Any]:
        """Choose the call's time so that all reminders fit before it, and return the booking."""
        # Whole seconds, as calendars have them.
        self.call_at = (datetime.now(UTC) + CALL_IN_INTERVALS * self.interval).replace(microsecond=0)
        return {"name": "Live Test", "meeting_time": self.call_at.isoformat(), "event_uri": self.event}

    def miss(self) -> dict[str, Any]:
        """Return the report that the call was missed."""
        return {"calendly_event_uri": self.event, "scheduled_time": self.call_at.isoformat()}

    @property
    def event(self) -> str:
        """The calendar's name for the call."""
        return f"{CALENDLY_API}/{self.name}"


@dataclass(frozen=True)
class Stage:
    """One thing that the lead does, the sequence that it starts and those that it ends."""

    words: str
    hook: str
    payload: Callable[[Journey], Mapping[str, Any]]
    sequence: str
    delivered: int
    ends: tuple[str, ...] = ()
    after_call: bool = False


STAGES = (
    Stage("opts in", "signup", lambda _: {"first_name": "Live"}, "lead_nurture", 1),
    Stage("takes the assessment", "signup", lambda _: ASSESSMENT, "five_day", 1, ends=("lead_nurture",)),
    Stage("books a call", "booking", Journey.book, "precall_prep", 3, ends=("five_day",)),
    Stage("misses the call", "noshow", Journey.miss, "noshow_recovery", 1, after_call=True),
    Stage(
        "needs to think",
        "maybe",
        lambda _: {"call_date": now(), "objections": ["price"]},
        "postcall_maybe",
        1,
        ends=("noshow_recovery",),
    ),
    Stage(
        "pays, and is a client",
        "onboarding",
        lambda _: {"payment_confirmed": True, "payment_date": now()},
        "onboarding_phase1",
        3,
        ends=("postcall_maybe",),
    ),
)
