"""How urgent a lead's assessment is."""

from collections.abc import Mapping
from typing import Any

CRITICAL, URGENT, OPTIMIZE = "CRITICAL", "URGENT", "OPTIMIZE"
SEGMENTS = (CRITICAL, URGENT, OPTIMIZE)
CRITICAL_RED = 2
URGENT_ORANGE = 2
CRISIS_BELOW = 40
WARNING_BELOW = 70


def segment(red: int | None, orange: int | None) -> str | None:
    """Return CRITICAL with two or more red systems, URGENT with one red or two or more orange, else OPTIMIZE.

    None for a count means unknown, and so does a segment that depends on it.
    """
    if red is None or (red == 0 and orange is None):
        return None
    if red >= CRITICAL_RED:
        return CRITICAL
    return URGENT if red == 1 or (orange or 0) >= URGENT_ORANGE else OPTIMIZE


def segment_of(facts: Mapping[str, Any]) -> str | None:
    """Return the segment of a lead's answers; None if they are incomplete."""
    red, orange = facts.get("red_systems"), facts.get("orange_systems")
    return segment(None if red is None else int(red), None if orange is None else int(orange))


def readiness_zone(score: float) -> str:
    """Return the zone of a score from 0 to 100."""
    if score < CRISIS_BELOW:
        return "Crisis Zone"
    return "Warning Zone" if score < WARNING_BELOW else "Growth Zone"
