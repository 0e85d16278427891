"""Parse one campaign file into the model, or report everything that is wrong with it."""

import re
import tomllib
from pathlib import PurePath

from funnel_app.campaigns import fields
from funnel_app.campaigns.fields import CampaignError, Table
from funnel_app.campaigns.model import HOOKS, Campaign, Event, Hook, Sequence
from funnel_app.campaigns.own_variables import read_own, read_own_of_hook
from funnel_app.campaigns.season_keys import check_deadline, check_off_season, check_season, read_season
from funnel_app.campaigns.sequence_keys import read_sequence

__all__ = ["CampaignError", "parse"]

TOP = (
    "name",
    "title",
    "extra",
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
TIPS = 3
LINE = re.compile(r"at line (\d+)")
CURLY = "“”‘’"
SHOWN_CHARS = 80
NAMES = "names have letters from a to z, digits and underscores"


def parse(filename: str, text: str) -> Campaign:
    """Return the campaign in a file; CampaignError names file, key and reason of every fault."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError([f"{filename}: {error}{_line_of(text, str(error))}"]) from None
    except RecursionError:
        raise CampaignError([f"{filename}: has lists within lists that nobody can read"]) from None
    top = Table(values, f"{filename}: ", [])
    campaign = _campaign(top)
    if campaign.name and campaign.name != PurePath(filename).stem:
        top.fault("name", f"is {campaign.name!r}, and the file is named {filename}: hooks and links follow the name")
    if top.faults:
        raise CampaignError([str(fault) for fault in top.faults])
    return campaign


def _line_of(text: str, error: str) -> str:
    """Return the line that a parser's error names, and what is probably wrong with it; empty if it names none."""
    found, lines = LINE.search(error), text.split("\n")
    line = lines[int(found[1]) - 1].strip() if found and int(found[1]) <= len(lines) else ""
    shown = "".join(sign if sign.isprintable() else " " for sign in line)[:SHOWN_CHARS]
    return f"{f': {shown}' if shown else ''}{_hint(line, error)}"


def _hint(line: str, error: str) -> str:
    if any(quote in line for quote in CURLY):
        return '; texts stand in straight quotes (")'
    if unseen := next((sign for sign in line if sign != "\t" and not sign.isprintable()), None):
        return f"; it holds a character that is not seen (U+{ord(unseen):04X}): type the line again"
    if error.startswith("Cannot overwrite"):
        return "; this stands twice"
    return f"; {NAMES}" if not line.partition("=")[0].isascii() else ""


def _campaign(top: Table) -> Campaign:
    top.only(TOP)
    name = top.read("name", fields.name, "") or top.text("name")
    tables = top.table("sequences")
    sequences = {key: read_sequence(name, key, tables.table(key)) for key in tables.values}
    if not sequences:
        top.fault("sequences", "there is none")
    top.text("timezone")
    title, deadline = top.title("title", name), top.read("deadline", fields.deadline, None)
    season = read_season(top, title)
    check_season(top, season, deadline)
    check_deadline(top, sequences)
    check_off_season(top, season, sequences)
    _check_starts(top, sequences)
    return Campaign(
        name=name,
        title=title,
        extra=top.flag("extra"),
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
        if sequence.starts_on in sequence.exits:
            words = f"has {sequence.starts_on}, which starts the sequence: nobody would ever be in it"
            top.fault(f"sequences.{sequence.name}.exits", words)
        if (sequence.starts_on, sequence.name) in stand_ins:
            continue
        if sequence.starts_on in seen:
            words = f"{sequence.starts_on} starts {seen[sequence.starts_on]} already"
            top.fault(f"sequences.{sequence.name}.starts_on", words)
        seen[sequence.starts_on] = sequence.name


def _tips(top: Table) -> dict[str, tuple[str, ...]]:
    table = top.table("tips")
    tips = {system: table.texts(system) for system in table.values}
    for system, rows in tips.items():
        if len(rows) != TIPS:
            table.fault(system, f"must be {TIPS} tips")
    return tips


def _hooks(top: Table, campaign: str, sequences: dict[str, Sequence]) -> dict[str, Hook]:
    table, asked = top.table("hooks"), {name: _hook_of(top, name) for name in sequences}
    flows = {asked[name]: sequence.handler for name, sequence in sequences.items() if asked[name]}
    for name, sequence in sequences.items():
        if asked[name] and flows[asked[name]] != sequence.handler:
            words = f"{sequence.handler} and {flows[asked[name]]} share the hook {asked[name]}: a hook has one handler"
            top.fault(f"sequences.{name}.flow", words)
    for hook in set(flows) - set(table.values):
        table.fault(hook, "a sequence starts at this hook, and there is no such hook")
    for name in set(table.values) - set(HOOKS):
        table.fault(name, f"is not a hook; there are {', '.join(HOOKS)}")
    return {name: _hook(campaign, name, table.table(name), flows.get(name)) for name in table.values}


def _hook_of(top: Table, sequence: str) -> str:
    return top.table("sequences").table(sequence).text("hook")


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
