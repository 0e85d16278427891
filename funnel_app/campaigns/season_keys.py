"""Read the season of a campaign file, and its sequences' off-season rules."""

from collections.abc import Mapping

from funnel_app.campaigns import fields
from funnel_app.campaigns.fields import Table
from funnel_app.campaigns.model import NOTHING, SAME, Season, Sequence
from funnel_app.campaigns.timing import day_of_year

# A leap year, so that 29 February is valid.
_ANY_YEAR = 2024


def read_season(top: Table, title: str) -> Season | None:
    """Return the season of a file; None if it runs all year."""
    if "season" not in top.values:
        return None
    table = top.table("season")
    table.only(("from", "to", "name"))
    for key in ("from", "to"):
        table.text(key)
    first = table.read("from", fields.deadline, (1, 1))
    last = table.read("to", fields.deadline, (12, 31))
    return Season(name=table.text("name", title), first=first, last=last)


def check_season(top: Table, season: Season | None, deadline: tuple[int, int] | None) -> None:
    """Record a deadline that never lies ahead within the season."""
    if season is not None and deadline is not None and not _holds(season, deadline):
        top.fault("deadline", f"{_written(deadline)} lies outside the season {_said(season)}")


def check_deadline(top: Table, sequences: Mapping[str, Sequence]) -> None:
    """Record a step that depends on a deadline the campaign lacks."""
    for sequence in sequences.values() if "deadline" not in top.values else ():
        for step in sequence.steps:
            if step.after_deadline:
                table = top.table("sequences").table(sequence.name)
                table.fault(f"steps[{step.number}].after_deadline", "the campaign has no deadline")


def check_off_season(top: Table, season: Season | None, sequences: Mapping[str, Sequence]) -> None:
    """Record an off-season rule without a season, or a stand-in that cannot stand in."""
    for sequence in sequences.values():
        table = top.table("sequences").table(sequence.name)
        if season is None:
            _check_all_year(table, sequence)
        if sequence.off_season not in (SAME, NOTHING):
            _check_stand_in(table, sequence, sequences)


def _check_all_year(table: Table, sequence: Sequence) -> None:
    words = "the campaign has no season, so it is never out of season"
    if sequence.off_season != SAME:
        table.fault("off_season", words)
    for step in sequence.steps:
        if step.season_only:
            table.fault(f"steps[{step.number}].season_only", words)


def _check_stand_in(table: Table, sequence: Sequence, sequences: Mapping[str, Sequence]) -> None:
    other = sequences.get(sequence.off_season)
    if other is None:
        table.fault("off_season", f"{sequence.off_season!r} is neither same, nothing nor a sequence of this campaign")
    elif other is sequence:
        table.fault("off_season", f"{other.name} is this sequence itself: write same")
    elif sequence.starts_on in other.exits:
        table.fault("off_season", f"{other.name} is ended by {sequence.starts_on}, which would start it")
    elif other.per_occurrence != sequence.per_occurrence or other.before_anchor != sequence.before_anchor:
        table.fault("off_season", f"{other.name} counts from something else than {sequence.name}")


def _holds(season: Season, day: tuple[int, int]) -> bool:
    first, last, at = (day_of_year(_ANY_YEAR, each) for each in (season.first, season.last, day))
    return first <= at <= last if first <= last else at >= first or at <= last


def _said(season: Season) -> str:
    return f"{_written(season.first)} to {_written(season.last)}"


def _written(day: tuple[int, int]) -> str:
    return f"{day[0]:02}-{day[1]:02}"
