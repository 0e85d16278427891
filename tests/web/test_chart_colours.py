"""The charts' colours: every state has one, which stands out from the page and from all others, light and dark."""

import math
import re
from itertools import combinations

import pytest

from funnel_app.campaigns.states import State
from funnel_app.web.console.shared import frame

CSS = (frame.OWN / "console.css").read_text("utf-8")
PAIRS = dict(re.findall(r"--([\w-]+): light-dark\((#\w+, #\w+)\)", CSS))
# Neighbours in a column that are nearer than this are taken for one, as bounces, doubt and held emails once were.
APART, CONTRAST = 0.09, 3.0
# sRGB to OKLab, by https://bottosson.github.io/posts/oklab/
TO_LMS = ((0.4122215, 0.5363325, 0.0514460), (0.2119035, 0.6806995, 0.1073970), (0.0883025, 0.2817188, 0.6299787))
TO_LAB = ((0.2104543, 0.7936178, -0.0040720), (1.9779985, -2.4285922, 0.4505937), (0.0259040, 0.7827718, -0.8086758))


def linear(colour: str) -> list[float]:
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def through(matrix: tuple[tuple[float, ...], ...], values: list[float]) -> list[float]:
    return [sum(map(float.__mul__, row, values)) for row in matrix]


def lab(colour: str) -> list[float]:
    return through(TO_LAB, [part ** (1 / 3) for part in through(TO_LMS, linear(colour))])


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_state_is_told_from_the_page_and_from_every_other(dark):
    seen = {name: pair.split(", ")[dark] for name, pair in PAIRS.items()}
    colours = {state: seen[f"c-{state}"] for state in State}
    assert {state: each for state, each in colours.items() if contrast(each, seen["card"]) < CONTRAST} == {}
    assert [
        pair for pair in combinations(colours, 2) if math.dist(*(lab(colours[each]) for each in pair)) < APART
    ] == []
    drawn = re.findall(r"\.c-(\w+)[^{]*\{ fill: var\(--c-", CSS)
    assert {str(state) for state in State} <= set(drawn)
