"""Charts as server-side SVG, without scripts.

Each is laid out twice, for desktop and phone, since a scaled-down chart cannot be read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

LEFT, BOTTOM, TOP = 46, 42, 26


@dataclass(frozen=True)
class Shape:
    """A chart's size, and how many labels fit under it."""

    name: str
    width: int
    height: int
    labels: int


DESK, PHONE = Shape("desk", 860, 260, 10), Shape("phone", 340, 240, 4)


@dataclass(frozen=True)
class Bar:
    """One segment of a column; `look` selects its colour, `label` stands above it."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart of columns: segments, grid lines, labels, and vertical marks."""

    shape: Shape
    bars: Sequence[Bar]
    lines: Sequence[tuple[float, int]]
    labels: Sequence[tuple[float, str, str]]
    legend: Sequence[str]
    marks: Sequence[tuple[float, str]] = ()
    left: int = LEFT
    bottom: int = BOTTOM


Drawn = tuple[Chart, Chart]


def both(draw: Callable[[Shape], Chart]) -> Drawn:
    """Return a chart in its desktop and phone layouts."""
    return draw(DESK), draw(PHONE)


def columns(shape: Shape, labels: Sequence[str], series: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """Return a stacked column chart with a segment per series."""
    totals = [sum(values[i] for _, values in series) for i in range(len(labels))]
    top, scale = _scale(shape, totals)
    slot = (shape.width - LEFT) / max(len(labels), 1)
    gap = 2 if slot > 8 else 0.5
    bars = []
    for i, label in enumerate(labels):
        y = float(shape.height - BOTTOM)
        for name, values in series:
            height = values[i] * scale
            y -= height
            if values[i]:
                bars.append(Bar(LEFT + i * slot + gap / 2, y, slot - gap, height, name, f"{label}: {values[i]} {name}"))
    every = max(1, -(-len(labels) // shape.labels))
    under = [(LEFT + (i + 0.5) * slot, label, "") for i, label in enumerate(labels) if i % every == 0]
    return Chart(shape, bars, _lines(shape, top, scale), under, [name for name, _ in series])


def bins(shape: Shape, labels: Sequence[str], values: Sequence[int], mark: tuple[int, str]) -> Chart:
    """Return a histogram with a number above each bar, and a mark after a number of them."""
    top, scale = _scale(shape, values)
    slot = (shape.width - LEFT) / len(values)
    bars = [
        _column(shape, LEFT + i * slot + 2, slot - 4, value * scale, ("kept" if i < mark[0] else "late", label, value))
        for i, (label, value) in enumerate(zip(labels, values, strict=True))
    ]
    every = max(1, -(-len(labels) // shape.labels)) if shape is PHONE else 1
    under = [(LEFT + (i + 0.5) * slot, label, "") for i, label in enumerate(labels) if i % every == 0]
    marks = [(LEFT + mark[0] * slot, mark[1])]
    return Chart(shape, bars, _lines(shape, top, scale), under, [], marks)


def pairs(shape: Shape, groups: Sequence[tuple[str, str, int, int]], names: tuple[str, str]) -> Chart:
    """Return a chart with two columns a group, now and before, with names and labels."""
    top, scale = _scale(shape, [value for *_, now, before in groups for value in (now, before)])
    slot = (shape.width - LEFT) / len(groups)
    wide = slot * 0.38
    bars = []
    for i, (name, _, now, before) in enumerate(groups):
        x = LEFT + i * slot + slot * 0.1
        bars.append(_column(shape, x, wide, now * scale, ("now", f"{name}, {names[0]}", now)))
        bars.append(_column(shape, x + wide + 2, wide, before * scale, ("before", f"{name}, {names[1]}", before)))
    under = [(LEFT + (i + 0.5) * slot, name, word) for i, (name, word, *_) in enumerate(groups)]
    return Chart(shape, bars, _lines(shape, top, scale), under, ["now", "before"])


def nice(most: int) -> int:
    """Return the end of a scale: the next of 1, 2, 4, 6, 8, 10 times a power of ten, even from 2 on."""
    size = 1
    while most > 10 * size:
        size *= 10
    return next((step * size for step in (1, 2, 4, 6, 8, 10) if most <= step * size), 1)


def _column(shape: Shape, x: float, width: float, height: float, what: tuple[str, str, int]) -> Bar:
    look, label, value = what
    return Bar(x, shape.height - BOTTOM - height, width, height, look, f"{label}: {value}", f"{value:,}")


def _scale(shape: Shape, values: Sequence[int]) -> tuple[int, float]:
    top = nice(max(values, default=0))
    return top, (shape.height - TOP - BOTTOM) / top


def _lines(shape: Shape, top: int, scale: float) -> list[tuple[float, int]]:
    return [(shape.height - BOTTOM - value * scale, value) for value in sorted({0, top // 2, top})]
