"""Every pair (a sequence that runs, an event that arrives): what ends, what starts, what is ignored and why.

What ends what is written out here by hand, from the design; docs/sequences.md shows the same pairs as they were played.
"""

import pytest

from docs.pairs import CALLS, PEOPLE, Pair, play
from funnel_app.campaigns.model import Event
from tests.factories import christmas_only

ENDED_BY = {
    "lead_nurture": {"an assessment", "a call is booked", "onboarding", "a reply"},
    "five_day": {"a call is booked", "a maybe", "onboarding", "a reply"},
    "noshow_recovery": {
        "a later call is booked",
        "a maybe after this call",
        "onboarding",
        "a reply",
        "this call was not missed after all",
    },
    "postcall_maybe": {"onboarding", "a reply"},
    "onboarding_phase1": set(),
    "precall_prep": {"this call is cancelled", "this call is given up for a new time"},
}
STARTED_BY = {
    "lead_nurture": "an opt-in",
    "five_day": "an assessment",
    "noshow_recovery": "is missed",
    "postcall_maybe": "a maybe",
    "onboarding_phase1": "onboarding",
    "precall_prep": "is booked",
}
AGAIN = {
    "lead_nurture": {"an opt-in"},
    "five_day": {"an assessment"},
    "noshow_recovery": {"this call is missed"},
    "postcall_maybe": {"a maybe"},
    "onboarding_phase1": {"onboarding"},
    "precall_prep": {"this call is booked", "this call is booked at another time"},
}
# What the running sequence's own start keeps from starting.
IGNORED = {
    "five_day": {"an opt-in": "took the assessment"},
    "postcall_maybe": {
        "an assessment": "asked for time to think after a call",
        "a call is missed": "asked for time to think after a call",
    },
    "onboarding_phase1": dict.fromkeys(
        ("an opt-in", "an assessment", "a maybe", "a call is missed"), "became a client"
    ),
    "precall_prep": dict.fromkeys(("an opt-in", "an assessment", "an earlier call is missed"), "booked a call"),
}
# A start that is newer than the event which ends it: the call was marked as missed, or booked, once more.
NEWER = {
    ("noshow_recovery", "this call was not missed after all"),
    ("precall_prep", "this call is cancelled"),
    ("precall_prep", "this call is given up for a new time"),
}

PLAYED: dict[str, list[Pair]] = {}


@pytest.fixture
def pairs(deps):
    """Every pair, played once on each database."""
    database = deps.engine.dialect.name
    if database not in PLAYED:
        PLAYED[database] = list(play(deps, deps.registry.campaign("christmas")))
    return PLAYED[database]


def test_every_pair_is_played(deps, pairs):
    assert {pair.sequence for pair in pairs} == set(ENDED_BY) == set(deps.registry.campaign("christmas").sequences)
    for sequence in ENDED_BY:
        told = [pair.event for pair in pairs if pair.sequence == sequence]
        assert set(PEOPLE) | set(CALLS) == set(Event)
        assert all(any(words in event for event in told) for words in [*PEOPLE.values(), *CALLS.values()])


def test_what_arrives_does_to_a_running_sequence_what_the_design_says(pairs):
    for pair in pairs:
        where = (pair.sequence, pair.event)
        assert pair.ended == ((pair.sequence,) if pair.event in ENDED_BY[pair.sequence] else ()), where
        assert pair.moved is (pair.event == "this call is booked at another time"), where
        assert (pair.answer, pair.started, *blocked_by(pair.reason)) == arrival(pair), where


def arrival(pair) -> tuple[str, str | None, str | None]:
    """Return the answer, what starts, and what keeps it from starting."""
    if pair.event in AGAIN[pair.sequence]:
        return "duplicate", None, None
    blocking = IGNORED.get(pair.sequence, {}).get(pair.event)
    if blocking:
        return "ignored", None, blocking
    return "accepted", next((name for name, words in STARTED_BY.items() if is_told_by(pair.event, words)), None), None


TITLES = christmas_only().sequence_titles()


def is_told_by(event: str, words: str) -> bool:
    return event.endswith(words) or event.startswith(words)


def blocked_by(reason: str | None) -> tuple[str | None]:
    _, already, why = (reason or "").partition(" does not start: the contact already ")
    return (why.partition(" on ")[0] if already else None,)


def test_what_ends_a_sequence_keeps_it_from_starting_late(pairs):
    for pair in pairs:
        where = (pair.sequence, pair.event)
        if pair.event in AGAIN[pair.sequence]:
            assert pair.late == "duplicate", where
        elif pair.event == "a reply":
            # Who answered one email may well want the next sequence.
            assert pair.late == "accepted", where
        elif pair.event in ENDED_BY[pair.sequence] and where not in NEWER:
            assert pair.late == "ignored" and pair.late_reason.startswith(
                f"“{TITLES[pair.sequence]}” does not start: "
            ), where
        else:
            assert pair.late == "accepted", where
