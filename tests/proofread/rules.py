"""What no letter may say on the day on which it is read. Each rule counts by itself, and asks none of the code's."""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date

from tests.proofread.readings import Reading

MONTHS = list(calendar.month_name)[1:]
DATE = re.compile(rf"\b({'|'.join(MONTHS)}) (\d{{1,2}})\b(?:, (\d{{4}}))?(?:[^.\n]*?, (\d{{4}}))?")
NOT_WORDS = re.compile(r"\bNone\b(?! of)|\bundefined\b|\bnan\b|\bNaN\b|\bTrue\b|\bFalse\b|[{}⟦⟧]|\[\w+\]")
OFF_SEASON = re.compile(r"\b\d+ days?\b|December 5\b|this season|[Ff]inal call|still open|places? (?:is|are) left")
LONG_FRACTION = re.compile(r"\d\.\d{2,}|\$\d{4,}|\$\d{4,}K|\$0\b")
SINGULAR, PLURAL = ("day", "place", "call", "is"), ("days", "places", "calls", "are")
# A date is no count: "December 5 is today".
COUNTED = re.compile(rf"(?<!December )(?<!October )\b(\d+) ({'|'.join((*SINGULAR, *PLURAL))})\b")
COLOURS = re.compile(r"\b(\d+)\s+(red|orange|yellow|green)\b")
NEAR = re.compile(r"\b(today|tomorrow|yesterday)\b", re.IGNORECASE)
DEADLINE_NEAR = re.compile(
    r"(Tomorrow|Today), on December 5|(today) is the last day|(That is today)|December 5 (is today)"
)
WORD_OF = {-1: "yesterday", 0: "today", 1: "tomorrow"}

Rule = Callable[[Reading, str], Iterator[str]]


def complaints(reading: Reading) -> list[str]:
    """Return what a letter says that it may not, and what it leaves empty."""
    letter = reading.letter()
    said = f"{letter.subject}\n{letter.text}"
    found = [complaint for rule in RULES for complaint in rule(reading, said)]
    return [*found, *(["an empty subject"] if not letter.subject.strip() else [])]


def in_season(day: date) -> bool:
    """Say whether a day lies from 1 October to 5 December, as the business says it."""
    return (10, 1) <= (day.month, day.day) <= (12, 5)


def broken_words(reading: Reading, said: str) -> Iterator[str]:
    """No None, no unfilled brace, no fraction that nobody would write, no sum of nothing."""
    yield from (f"“{found}”" for found in NOT_WORDS.findall(said))
    yield from (f"“{found}”" for found in LONG_FRACTION.findall(said))


def deadlines(reading: Reading, said: str) -> Iterator[str]:
    """No countdown out of season; in season one that is right."""
    if not in_season(reading.day):
        yield from (f"“{found}” out of season" for found in OFF_SEASON.findall(said))
        return
    left = (date(reading.day.year, 12, 5) - reading.day).days
    counted = [int(number) for number, what in COUNTED.findall(said) if what in ("day", "days")]
    yield from (f"{number} days where {left} are left" for number in counted if number != left)
    for found in DEADLINE_NEAR.finditer(said):
        if ("omorrow" in found[0]) != (left == 1):
            yield f"“{found[0]}”, {left} days before"


def near_days(reading: Reading, said: str) -> Iterator[str]:
    """No "tomorrow" today: the day of a call is the one that it is for the reader."""
    if reading.call is None:
        return
    away = (reading.call.date() - reading.day).days
    for found in NEAR.findall(said):
        if found.lower() != WORD_OF.get(away):
            yield f"“{found}” of a call that is {away} days away"
    weekday = f"on {reading.call:%A}"
    # A whole date, "on Sunday, November 1", is right on any day.
    if re.search(rf"{weekday}\b(?!, [A-Z])", said) and not abs(away) >= 2:
        yield f"“{weekday}” of a call that is {away} days away"


def numbers(reading: Reading, said: str) -> Iterator[str]:
    """One day, two days, and none of nothing."""
    for number, what in COUNTED.findall(said):
        if (what in SINGULAR) != (int(number) == 1) or number == "0":
            yield f"“{number} {what}”"


def unknown_numbers(reading: Reading, said: str) -> Iterator[str]:
    """No number that nobody gave."""
    for number, colour in COLOURS.findall(said):
        if reading.about.get(f"{colour}_systems") != int(number):
            yield f"“{number} {colour}”, which nobody counted"
    for score in re.findall(r"\b(\d+) / 100|score: (\d+)", said):
        if "assessment_score" not in reading.about:
            yield f"a score of {''.join(score)}, which nobody gave"
    if "red_systems" not in reading.about and re.search(r"Several systems|The ground is solid|built something", said):
        yield "a judgement on systems that nobody counted"


def years(reading: Reading, said: str) -> Iterator[str]:
    """A date of another year says so, by itself or once for the days before it."""
    for found in DATE.finditer(said):
        own = found[3] or reading.day.year
        away = [_away(reading, found, int(year)) for year in (own, found[4] or own)]
        if all(not -45 <= days <= 366 for days in away):
            yield f"“{found[0]}” is {away[0]} days away"


def _away(reading: Reading, found: re.Match[str], year: int) -> int:
    return (date(year, MONTHS.index(found[1]) + 1, min(int(found[2]), 28)) - reading.day).days


RULES: tuple[Rule, ...] = (broken_words, deadlines, near_days, numbers, unknown_numbers, years)
