"""Read one campaign file into the model, or say everything that is wrong with it."""

import tomllib
from pathlib import PurePath

from funnel_app.campaigns import fields
from funnel_app.campaigns.fields import CampaignError, Table
from funnel_app.campaigns.model import HOOKS, Campaign, Event, Hook, Sequence
from funnel_app.campaigns.own_variables import read_own, read_own_of_hook
from funnel_app.campaigns.season_keys import check_off_season, check_season, read_season
from funnel_app.campaigns.sequence_keys import read_sequence

__all__ = ["CampaignError", "parse"]

TOP = (
    "name",
    "title",
    "timezone",
    "season",
    "deadline",
    "capacity",
    "bookings_baseline",
    "at_most",
    "calendly_link",
    "pdf_download_link",
    "hooks",
    "sequences",
    "tips",
    "variables",
)
<<<<<<< HEAD
SEQUENCE = (
    "title",
    "hook",
    "flow",
    "starts_on",
    "kind",
    "exits",
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
STEP = ("title", "template", "after", "before", "test_after", "test_before", "aliases", "after_deadline", "season_only")
=======
>>>>>>> main
TIPS = 3


def parse(filename: str, text: str) -> Campaign:
    """Return the campaign of a file; CampaignError names file, key and reason of every fault."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError([f"{filename}: {error}"]) from None
    top = Table(values, f"{filename}: ", [])
    campaign = _campaign(top)
    if campaign.name and campaign.name != PurePath(filename).stem:
        top.fault("name", f"is {campaign.name!r}, and the file is named {filename}: hooks and links follow the name")
    if top.faults:
        raise CampaignError(top.faults)
    return campaign


def _campaign(top: Table) -> Campaign:
    top.only(TOP)
    name = top.read("name", fields.name, "") or top.text("name")
    tables = top.table("sequences")
    sequences = {key: read_sequence(name, key, tables.table(key)) for key in tables.values}
    if not sequences:
        top.fault("sequences", "there is none")
    for key in ("timezone", "deadline"):
        top.text(key)
    title, deadline = top.text("title", name), top.read("deadline", fields.deadline, (12, 31))
    season = read_season(top, title)
    check_season(top, season, deadline)
    check_off_season(top, season, sequences)
    _check_starts(top, sequences)
    return Campaign(
        name=name,
        title=title,
        timezone=top.read("timezone", fields.zone, "UTC"),
        season=season,
        deadline=deadline,
        capacity=top.number("capacity", 0),
        bookings_baseline=top.number("bookings_baseline", 0),
        calendly_link=top.read("calendly_link", fields.link, ""),
        pdf_download_link=top.read("pdf_download_link", fields.own_link, ""),
        tips=_tips(top),
        sequences=sequences,
        hooks=_hooks(top, name, sequences),
        at_most=top.read("at_most", fields.at_most, None),
        variables=read_own(top.table("variables")),
    )


def _check_starts(top: Table, sequences: dict[str, Sequence]) -> None:
    seen: dict[Event, str] = {}
    stand_ins = {(sequence.starts_on, sequence.off_season) for sequence in sequences.values()}
    for sequence in sequences.values():
        if (sequence.starts_on, sequence.name) in stand_ins:
            continue
        if sequence.starts_on in seen:
            words = f"{sequence.starts_on} starts {seen[sequence.starts_on]} already"
            top.fault(f"sequences.{sequence.name}.starts_on", words)
        seen[sequence.starts_on] = sequence.name


<<<<<<< HEAD
def _sequence(campaign: str, name: str, table: Table) -> Sequence:
    table.only(SEQUENCE)
    if not fields.NAME.fullmatch(name):
        table.fault("", f"{name!r} is not a name of small letters, digits and underscores")
    flow = table.text("flow")
    handler = f"{campaign}-{flow}-handler"
    if flow and not HANDLER.fullmatch(handler):
        table.fault("flow", f"{handler!r} is not a handler name of small letters, digits and hyphens")
    for key in ("starts_on", "kind"):
        table.text(key)
    kind = table.choice("kind", Kind, Kind.MARKETING)
    return Sequence(
        name=name,
        title=table.text("title", as_title(name)),
        campaign=campaign,
        flow=flow,
        handler=handler,
        starts_on=_start(table),
        kind=kind,
        steps=_steps(table),
        exits=_exits(table, kind),
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
    """Return what ends a sequence: a reply too where it is marketing, unless the file says `reply_ends = false`."""
    written = _events(table, "exits")
    if "reply_ends" not in table.values:
        return written | {Event.REPLY} if kind is Kind.MARKETING else written
    if table.flag("reply_ends"):
        return written | {Event.REPLY}
    if Event.REPLY in written:
        table.fault("reply_ends", "is false, and exits has reply: leave one of them out")
    return written


def _events(table: Table, key: str) -> frozenset[Event]:
    known = [text for text in table.texts(key) if text in set(Event)]
    for text in set(table.texts(key)) - set(known):
        table.fault(key, f"{text!r} is none of {', '.join(Event)}")
    return frozenset(Event(text) for text in known)


def _entrances(table: Table) -> dict[str, EmailOne]:
    return {entrance: table.choice(entrance, EmailOne, EmailOne.PAYLOAD) for entrance in table.values}


def _reentry(table: Table) -> str:
    found = table.text("reentry", "never")
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
    return Step(
        number=number,
        template=table.read("template", fields.name, "") or table.text("template"),
        delay=sign * table.read(key, fields.duration, timedelta(0)),
        test_intervals=sign * table.number(f"test_{key}"),
        in_days=str(table.values.get(key)).endswith("d"),
        aliases=table.texts("aliases"),
        after_deadline=_after_deadline(table),
        season_only=table.flag("season_only"),
        title=table.text("title", f"Email {number}"),
    )


def _after_deadline(table: Table) -> str | None:
    found = table.values.get("after_deadline")
    if found not in (None, "skip"):
        table.fault("after_deadline", f"{found!r} is not skip")
    return found


=======
>>>>>>> main
def _tips(top: Table) -> dict[str, tuple[str, ...]]:
    table = top.table("tips")
    tips = {system: table.texts(system) for system in table.values}
    for system, rows in tips.items():
        if len(rows) != TIPS:
            table.fault(system, f"must be {TIPS} tips")
    return tips


def _hooks(top: Table, campaign: str, sequences: dict[str, Sequence]) -> dict[str, Hook]:
    table = top.table("hooks")
    flows = {
        str(top.table("sequences").table(sequence.name).values.get("hook")): sequence.handler
        for sequence in sequences.values()
    }
    for sequence in sequences.values():
        hook = str(top.table("sequences").table(sequence.name).values.get("hook"))
        if flows[hook] != sequence.handler:
            words = f"{sequence.handler} and {flows[hook]} share the hook {hook}: a hook has one handler"
            top.fault(f"sequences.{sequence.name}.flow", words)
    for hook in set(flows) - set(table.values):
        table.fault(hook, "a sequence starts at this hook, and there is no such hook")
    for name in set(table.values) - set(HOOKS):
        table.fault(name, f"is not a hook; there are {', '.join(HOOKS)}")
    return {name: _hook(campaign, name, table.table(name), flows.get(name)) for name in table.values}


def _hook(campaign: str, name: str, table: Table, handler: str | None) -> Hook:
    table.only(("legacy_paths", "legacy_id", "variables"))
    for path in table.texts("legacy_paths"):
        if not path.startswith("/"):
            table.fault("legacy_paths", f"{path!r} does not begin with /")
    return Hook(
        name=name,
        path=f"/webhook/{campaign}/{name}",
        legacy_paths=table.texts("legacy_paths"),
        legacy_id=table.read("legacy_id", fields.uuid, None),
        handler=handler,
        variables=read_own_of_hook(table.table("variables"), name),
    )
