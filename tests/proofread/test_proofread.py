"""A well-chosen part of the calendar of all letters; `make proofread` reads the whole of it."""

from datetime import date, datetime
from itertools import chain

import pytest

from tests.proofread.readings import BOOKINGS, LEADS, STEPS, TORONTO, ZONES, Reading, by_day, by_distance, by_report
from tests.proofread.rules import RULES, complaints

# The first and last days of the season and of the year, and an ordinary one of each part of it.
DAYS = [
    date(2026, month, day) for month, day in [(9, 30), (10, 1), (11, 25), (12, 3), (12, 4), (12, 5), (12, 6), (12, 28)]
]
DAYS += [date(2027, 1, 2), date(2027, 6, 15)]
CALLS = [datetime(2026, 12, 3, 9, tzinfo=zone) for zone in ZONES] + [datetime(2026, 11, 1, 20, tzinfo=TORONTO)]
HOURS = (1, 2, 3, 5, 11, 13, 14, 23, 25, 47, 49, 71, 73, 100)


def faults(readings):
    return {str(reading): found for reading in readings if (found := complaints(reading))}


def test_no_starter_says_what_may_not_be_said_on_a_day():
    everybody = chain(by_day(DAYS[2::7], LEADS, BOOKINGS[:1]), by_day(DAYS, ["urgent", "nothing"], BOOKINGS[:1]))
    one_left = by_day(DAYS[4:7], ["critical"], BOOKINGS[1:])
    assert faults(chain(everybody, one_left)) == {}


def test_no_letter_about_a_call_says_the_wrong_day():
    assert faults(chain(by_distance(CALLS, HOURS), by_report(CALLS, HOURS))) == {}


@pytest.mark.parametrize(
    ("text", "lead", "words"),
    [
        ("Only 187 days to December 5!", "urgent", "“187 days” out of season"),
        ("Hi None, {{ x }}", "urgent", "“None”"),
        ("You score 38.3333", "urgent", "“8.3333”"),
        ("1 places are left", "urgent", "“1 places”"),
        ("0 red", "nothing", "“0 red”, which nobody counted"),
        ("Tomorrow is our call", "urgent", "“Tomorrow” of a call that is 0 days away"),
        ("Our start: January 5", "urgent", "“January 5” is -156 days away"),
    ],
)
def test_the_rules_find_what_was_found_in_letters(text, lead, words):
    at = datetime(2027, 6, 10, 12, tzinfo=TORONTO)
    reading = Reading(key=next(iter(STEPS)), lead=lead, at=at, deadline=date(2027, 12, 5), call=at, hook={})
    assert words in [complaint for rule in RULES for complaint in rule(reading, text)]
