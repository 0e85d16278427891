"""Frequency: how often marketing goes to one person at most, and which of their emails gives way then.

What goes first is said by one order of all that waits: the larger priority, then the longer wait. An email gives way to
what went within the span, and to what comes before it in that order and goes within the span from now; so whatever
stands first goes as soon as there is room, and two never wait for each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from funnel_app.campaigns.model import AtMost
from funnel_app.campaigns.reasons import spoken
from funnel_app.campaigns.spoken import things

# An email that goes first has gone by then, or does not go at all.
LOOK_AGAIN_AFTER = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """An email that waits to go, by its template: since when it wants to, and when it may."""

    id: UUID
    template_key: str
    priority: int
    wanted_at: datetime
    due_at: datetime

    @property
    def place(self) -> tuple[int, datetime, UUID]:
        """Its place among all that waits for the same person: the smaller goes first."""
        return -self.priority, self.wanted_at, self.id


@dataclass(frozen=True, slots=True)
class Went:
    """An email that went to the person, or is on its way, by its template."""

    template_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GivesWay:
    """Until when an email waits at least, and to which it gives way, by the template.

    `is_full` where it is certain that it cannot go before; else the other has the time to go first.
    """

    until: datetime
    template_key: str
    is_full: bool


def gives_way(
    email: Wanting, limit: AtMost, went: Iterable[Went], waiting: Iterable[Wanting], now: datetime
) -> GivesWay | None:
    """Return until when an email gives way to others of its person, and to which; None for one that may go now.

    `went` and `waiting` may name more than the span holds; the email itself among them counts as nothing.
    """
    # What says that it went long after now was sent while the clock was wrong, and must not hold others until then.
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
    """Return why an email gives way to another, which people call so."""
    return f"{limit_in_words(limit)}: gives way to “{title}”"


def limit_in_words(limit: AtMost) -> str:
    """Return a limit as people say it: no more than 1 marketing email in 20 hours."""
    return f"no more than {things(limit.emails, 'marketing email')} in {spoken(limit.span)}"


def _whole(at: datetime) -> datetime:
    """Return the next whole second, so that nothing comes early."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + SECOND
