"""Frequency: the limit on marketing emails for one person, and which of their emails waits.

All waiting emails have one order: larger priority first, then the longer wait. An email waits for those that went
within the span, and for those before it in that order that go within the next span. So the first in order goes as soon
as there is room, and two emails never wait for each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from funnel_app.campaigns.model import AtMost
from funnel_app.campaigns.reasons import spoken
from funnel_app.campaigns.spoken import things

# By then the email ahead has gone, or never goes.
LOOK_AGAIN_AFTER = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """A waiting email, by its template: since when it waits, and when it may go."""

    id: UUID
    template_key: str
    priority: int
    wanted_at: datetime
    due_at: datetime

    @property
    def place(self) -> tuple[int, datetime, UUID]:
        """Its sort key among all emails waiting for the same person; the smallest goes first."""
        return -self.priority, self.wanted_at, self.id


@dataclass(frozen=True, slots=True)
class Went:
    """An email that was sent to the person or is on its way, by its template."""

    template_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GivesWay:
    """Until when an email waits at least, and for which other template.

    `is_full` if the limit is certainly reached until then; otherwise the other email is due first.
    """

    until: datetime
    template_key: str
    is_full: bool


def gives_way(
    email: Wanting, limit: AtMost, went: Iterable[Went], waiting: Iterable[Wanting], now: datetime
) -> GivesWay | None:
    """Return until when an email waits for others of its person, and for which; None if it may go now.

    `went` and `waiting` may hold more than the span; the email itself among them is ignored.
    """
    # Times far in the future stem from a wrong clock, and must not block others until then.
    recent = sorted((each for each in went if abs(each.at - now) < limit.span), key=lambda each: each.at)
    if len(recent) >= limit.emails:
        last = recent[-limit.emails]
        return GivesWay(_whole(last.at + limit.span), last.template_key, is_full=True)
    before = [each for each in waiting if each.place < email.place and each.due_at <= now + limit.span]
    if len(recent) + len(before) < limit.emails:
        return None
    first = min(before, key=lambda each: each.due_at)
    return GivesWay(_whole(max(first.due_at, now) + LOOK_AGAIN_AFTER), first.template_key, is_full=False)


def in_words(limit: AtMost, title: str) -> str:
    """Return why an email waits for another, by the name people know it by."""
    return f"{limit_in_words(limit)}: gives way to “{title}”"


def limit_in_words(limit: AtMost) -> str:
    """Return a limit in words: no more than 1 marketing email in 20 hours."""
    return f"no more than {things(limit.emails, 'marketing email')} in {spoken(limit.span)}"


def _whole(at: datetime) -> datetime:
    """Round up to a whole second, so that nothing goes early."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + SECOND
