"""Timeline: everything that happened to one person, in order, a line each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from funnel_app.campaigns.incoming_calls import called, sender
from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.states import CLICKED, OPENED, REPORT_ORDER, REPORTED_BY_PROVIDER, SCANNED, State
from funnel_app.flows.intake.received_calls import reason_of
from funnel_app.flows.receipt import iso
from funnel_app.flows.replies.history import what_came
from funnel_app.ledger.email_events import was_asked_for
from funnel_app.ledger.models import Email, EmailEvent, Enrolment, HookEvent, Outcome, Suppression
from funnel_app.ledger.models.received_emails import ReceivedEmail

TOLD_BY_REPORTS = frozenset(REPORTED_BY_PROVIDER.values()) - {State.SENT}
# Planning is one line per sequence, cancelling is part of its end; a claim adds nothing to its outcome.
TOLD_ELSEWHERE = frozenset({State.SENDING, State.CANCELLED})
SAID_OF = {SCANNED: "clicked by a program that looks into links, not counted"}
WORDS = {"sent": "handed to Resend", "planned": "planned again", "copy": "WENT ONCE MORE"}


# Events after a delivery rank after every state.
AFTER_ALL = {OPENED: 90, CLICKED: 91, SCANNED: 92}
# A report of a state ranks after the state itself: first it was handed over, then Resend said so.
REPORT, STATE = 1, 2


def rank_of(kind: str) -> int:
    """Return the rank of a kind of event among those of one second, whatever their order of arrival."""
    if (reported := REPORTED_BY_PROVIDER.get(kind)) is not None:
        return STATE * REPORT_ORDER[reported] + REPORT
    state = State(kind) if kind in set(State) else None
    return AFTER_ALL.get(kind, STATE * REPORT_ORDER.get(state, 0) if state else 0)


class Titles(NamedTuple):
    """The titles of a sequence, by campaign and name, and of an email, by template."""

    of_sequence: Callable[[str, str], str]
    of_email: Callable[[str], str]


class Line(NamedTuple):
    """One event: when, about what, in words; `rank` orders those of one email and second."""

    at: datetime
    about: str
    what: str
    rank: int = 0

    def as_json(self) -> dict[str, str]:
        """Return the line as plain data."""
        return {"at": iso(self.at), "about": self.about, "what": self.what}


def build_timeline(
    hooks: Iterable[HookEvent],
    enrolments: Sequence[Enrolment],
    timeline: Mapping[UUID, Sequence[EmailEvent]],
    suppressions: Iterable[Suppression],
    others: Iterable[Line],
    titles: Titles,
) -> list[dict[str, Any]]:
    """Return a line for every event, `others` among them, oldest first, with titles for sequences and emails."""
    lines = [
        *(_hook(hook) for hook in hooks),
        *(line for enrolment in enrolments for line in _enrolment(enrolment, timeline, titles)),
        *others,
        *(Line(found.created_at, "contact", f"not mailed ({found.scope}): {found.reason}") for found in suppressions),
    ]
    # A stable sort: events of the same second keep the order above.
    return [line.as_json() for line in sorted(lines, key=lambda line: line.at.replace(microsecond=0))]


def _hook(hook: HookEvent) -> Line:
    why = reason_of(hook)
    what = f"by {sender(hook.source)}, {hook.outcome}{f': {why}' if why else ''}"
    fix = f"; flask hooks show {hook.id}" if hook.outcome == Outcome.REFUSED else ""
    return Line(hook.received_at, called(hook.event, hook.hook), what + fix)


def _enrolment(enrolment: Enrolment, timeline: Mapping[UUID, Sequence[EmailEvent]], titles: Titles) -> Iterator[Line]:
    name = titles.of_sequence(enrolment.campaign, enrolment.sequence)
    yield Line(enrolment.created_at, name, f"started with {things(len(enrolment.emails), 'email')}")
    for email in enrolment.emails:
        told = _email(enrolment, email, timeline.get(email.id, ()), titles)
        yield from sorted(told, key=lambda line: (line.at.replace(microsecond=0), line.rank))
    if enrolment.ended_at is not None:
        why = f": {enrolment.exit_reason}" if enrolment.exit_reason else ""
        yield Line(enrolment.ended_at, name, f"{'ended' if why else 'completed'}{why}")


def _email(enrolment: Enrolment, email: Email, events: Sequence[EmailEvent], titles: Titles) -> Iterator[Line]:
    reports = {(event.at, REPORTED_BY_PROVIDER.get(event.kind)) for event in events if event.provider_event_id}
    for number, event in enumerate(events):
        told = event.kind in TOLD_BY_REPORTS and (event.at, State(event.kind)) in reports
        first_plan = event.kind == State.PLANNED and number == 0
        if not (told or first_plan or event.kind in TOLD_ELSEWHERE) or _alone(enrolment, event):
            yield Line(event.at, titles.of_email(email.template_key), _words(event), rank_of(event.kind))


def _alone(enrolment: Enrolment, event: EmailEvent) -> bool:
    """Say whether one email was cancelled by itself, and not with its sequence."""
    return event.kind == State.CANCELLED and event.detail != enrolment.exit_reason


def _words(event: EmailEvent) -> str:
    kind = SAID_OF.get(event.kind) or event.kind.removeprefix("email.").replace("_", " ")
    said = f"{_source(event)}: {kind}" if event.provider_event_id else WORDS.get(event.kind, kind)
    return f"{said}: {event.detail}" if event.detail else said


def _source(event: EmailEvent) -> str:
    return "asked, Resend says" if was_asked_for(event) else "Resend reports"


def lines_of_people(written: Iterable[ReceivedEmail], deeds: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Return a line for each email that somebody wrote, and for whatever people did."""
    yield from (Line(each.received_at, "reply", what_came(each)) for each in written)
    for deed in deeds:
        yield Line(datetime.fromisoformat(deed["at"]), "by hand", f"{deed['who']}: {deed['what']}")
