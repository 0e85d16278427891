"""Read a sequence of a campaign file with its steps."""

import re
from collections.abc import Iterable
from datetime import timedelta

from funnel_app.campaigns import fields
from funnel_app.campaigns.fields import Table
from funnel_app.campaigns.model import AFTER_END, NEVER, SAME, EmailOne, Event, Kind, Sequence, Step
from funnel_app.campaigns.spoken import as_title

HANDLER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-handler")
MAX_LATENESS = timedelta(days=7)
COMPARED = 2
REENTRY = (NEVER, AFTER_END)
# Events of a booking concern only the campaign the booking belongs to.
ELSEWHERE = (Event.OPT_IN, Event.ASSESSMENT, Event.BOOKING, Event.MAYBE, Event.ONBOARDING)
SEQUENCE = (
    "title",
    "hook",
    "flow",
    "starts_on",
    "kind",
    "exits",
    "exits_elsewhere",
    "reply_ends",
    "steps",
    "per_occurrence",
    "email_1",
    "email_1_by_entrance",
    "reentry",
    "off_season",
    "window",
    "max_lateness",
    "priority",
)
STEP = (
    "title",
    "template",
    "templates",
    "after",
    "before",
    "test_after",
    "test_before",
    "aliases",
    "after_deadline",
    "season_only",
)


def read_sequence(campaign: str, name: str, table: Table) -> Sequence:
    """Return a sequence of a file, collecting every fault."""
    table.only(SEQUENCE)
    if not fields.NAME.fullmatch(name):
        table.fault("", f"{name!r} is not a name of small letters, digits and underscores")
    flow = table.text("flow")
    handler = f"{campaign}-{flow}-handler"
    if campaign and flow and not HANDLER.fullmatch(handler):
        table.fault("flow", f"{handler!r} is not a handler name of small letters, digits and hyphens")
    for key in ("starts_on", "kind"):
        table.text(key)
    kind = table.choice("kind", Kind, Kind.MARKETING)
    return Sequence(
        name=name,
        title=table.title("title", as_title(name)),
        campaign=campaign,
        flow=flow,
        handler=handler,
        starts_on=_start(table),
        kind=kind,
        steps=_steps(table),
        exits=_exits(table, kind),
        exits_elsewhere=_events(table, "exits_elsewhere", ELSEWHERE),
        per_occurrence=table.flag("per_occurrence"),
        email_1=table.choice("email_1", EmailOne, EmailOne.FUNNEL),
        email_1_by_entrance=_entrances(table.table("email_1_by_entrance")),
        reentry=_reentry(table),
        off_season=table.text("off_season", SAME),
        window=table.read("window", fields.window, None),
        max_lateness=table.read("max_lateness", fields.duration, MAX_LATENESS),
        priority=table.number("priority", 0),
    )


def _start(table: Table) -> Event:
    found = table.choice("starts_on", Event, Event.OPT_IN)
    if found is Event.REPLY:
        table.fault("starts_on", "a reply ends sequences, and starts none")
    return found


def _exits(table: Table, kind: Kind) -> frozenset[Event]:
    """Return what ends a sequence: also a reply if it is marketing, unless the file says `reply_ends = false`."""
    written = _events(table, "exits", Event)
    if "reply_ends" not in table.values:
        return written | {Event.REPLY} if kind is Kind.MARKETING else written
    if table.flag("reply_ends"):
        return written | {Event.REPLY}
    if Event.REPLY in written:
        table.fault("reply_ends", "is false, and exits has reply: leave one of them out")
    return written


def _events(table: Table, key: str, allowed: Iterable[Event]) -> frozenset[Event]:
    known = {str(event): event for event in allowed}
    if strange := sorted(set(table.texts(key)) - set(known)):
        table.fault(key, f"{' and '.join(map(repr, strange))} is none of {', '.join(known)}")
    return frozenset(known[text] for text in table.texts(key) if text in known)


def _entrances(table: Table) -> dict[str, EmailOne]:
    return {entrance: table.choice(entrance, EmailOne, EmailOne.PAYLOAD) for entrance in table.values}


def _reentry(table: Table) -> str:
    found = table.text("reentry", NEVER)
    if found not in REENTRY:
        table.fault("reentry", f"{found!r} is none of {', '.join(REENTRY)}")
    return found


def _steps(table: Table) -> tuple[Step, ...]:
    rows = table.values.get("steps")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        table.fault("steps", "must be a list of steps, one at least")
        return ()
    return tuple(
        _step(number, Table(row, f"{table.place}steps[{number}].", table.faults)) for number, row in enumerate(rows, 1)
    )


def _step(number: int, table: Table) -> Step:
    table.only(STEP)
    before = "before" in table.values
    if before == ("after" in table.values):
        table.fault("after", "give either after or before")
    key, sign = ("before", -1) if before else ("after", 1)
    compared = _compared(table)
    return Step(
        number=number,
        template=compared[0] if compared else table.read("template", fields.name, "") or table.text("template"),
        templates=compared,
        delay=sign * table.read(key, fields.duration, timedelta(0)),
        test_intervals=sign * table.number(f"test_{key}"),
        in_days=str(table.values.get(key)).endswith("d"),
        aliases=table.texts("aliases"),
        after_deadline=_after_deadline(table),
        season_only=table.flag("season_only"),
        title=table.title("title", f"Email {number}"),
    )


def _compared(table: Table) -> tuple[str, ...]:
    """Return the two templates that a step compares; empty if it compares none."""
    if "templates" not in table.values:
        return ()
    keys = table.texts("templates")
    if len(set(keys)) != len(keys) or len(keys) != COMPARED or not all(fields.NAME.fullmatch(key) for key in keys):
        table.fault("templates", "must be two different names of small letters, digits and underscores")
    for key in ("template", "aliases"):
        if key in table.values:
            table.fault(key, "is of a step with one template: this one has two in templates")
    return keys


def _after_deadline(table: Table) -> str | None:
    found = table.values.get("after_deadline")
    if found not in (None, "skip"):
        table.fault("after_deadline", f"{found!r} is not skip")
    return found
