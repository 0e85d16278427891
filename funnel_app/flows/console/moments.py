"""Moments: a lead's history, newest first, by day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from textwrap import shorten
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.incoming_calls import called, sender
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import REPORTED_BY_PROVIDER, State
from funnel_app.flows.tracing.timeline import rank_of
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState

LONGEST_SAID = 280


@dataclass(frozen=True)
class Moment:
    """One event in a lead's history."""

    at: datetime
    kind: str
    what: str
    detail: str | None = None
    email_id: UUID | None = None
    hook_id: UUID | None = None


def by_day(moments: Iterable[Moment], zone: ZoneInfo) -> list[tuple[date, list[Moment]]]:
    """Group moments by day of a time zone, in the given order."""
    return [(day, list(them)) for day, them in groupby(moments, key=lambda each: each.at.astimezone(zone).date())]


def moments(registry: Registry, traced: dict[str, Any], joined: list[Enrolment]) -> list[Moment]:
    """Return a lead's history: calls, operators' actions, ends of sequences, and each email's events."""
    found = [
        *map(_of_hook, traced["hooks"]),
        *map(_of_reply, traced["replies"]),
        *map(_of_deed, traced["done"]),
        *(moment for enrolment in joined for moment in _of_end(registry, enrolment)),
        *(
            _of_event(registry, event, email)
            for enrolment, row in zip(joined, traced["enrolments"], strict=False)
            for email, told in zip(enrolment.emails, row["emails"], strict=True)
            for event in _news(told["events"])
        ),
    ]
    # Reversed rather than sorted in reverse, to keep the order within a second.
    return sorted(found, key=lambda moment: (moment.at, rank_of(moment.kind)))[::-1]


def _news(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events without those that repeat another: a start, an end, a claim, Resend's own report."""
    reported = {str(REPORTED_BY_PROVIDER[each["kind"]]) for each in events if each["kind"] in REPORTED_BY_PROVIDER}
    told = {State.SENDING, State.CANCELLED, *reported}
    return [each for number, each in enumerate(events) if each["kind"] not in told and (number or not _is_plan(each))]


def _is_plan(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == State.PLANNED)


def _of_end(registry: Registry, enrolment: Enrolment) -> Iterator[Moment]:
    if enrolment.ended_at is not None and enrolment.state == EnrolmentState.EXITED:
        title = f"“{registry.title_of_sequence(enrolment.campaign, enrolment.sequence)}”"
        yield Moment(enrolment.ended_at.replace(microsecond=0), "ended", title, enrolment.exit_reason)


def _of_hook(hook: dict[str, Any]) -> Moment:
    what = f"{called(hook['event'], hook['hook'])} by {sender(hook['source'])}"
    at, call = datetime.fromisoformat(hook["at"]), UUID(hook["id"])
    return Moment(at, hook["outcome"], what, hook["reason"], hook_id=call)


def _of_reply(reply: dict[str, Any]) -> Moment:
    detail = " ".join((reply["text"] or reply["note"] or "").split())
    said = shorten(detail, LONGEST_SAID, placeholder=" …") or None
    return Moment(datetime.fromisoformat(reply["at"]), reply["kind"] or "reply", reply["subject"] or "no subject", said)


def _of_event(registry: Registry, event: dict[str, Any], email: Email) -> Moment:
    what = registry.title_of_email(email.template_key)
    return Moment(datetime.fromisoformat(event["at"]), event["kind"], what, event["detail"], email.id)


def _of_deed(deed: dict[str, Any]) -> Moment:
    return Moment(datetime.fromisoformat(deed["at"]), "by hand", f"{deed['who']}: {deed['what']}")
