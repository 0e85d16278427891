"""Pictures: the geometry of charts and of sequences, drawn as SVG on the server; no script is needed to see them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 220
LEFT, BOTTOM, TOP = 44, 26, 10
# Colours that are told apart without seeing red and green, each at least 3:1 against white.
COLOURS = ("#2f6f9f", "#a8742c", "#1f6b3a", "#9c2a16", "#6b5b95", "#635b50", "#00838f", "#b0406b")


@dataclass(frozen=True)
class Bar:
    """One piece of a column."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    title: str


@dataclass(frozen=True)
class Chart:
    """A chart of columns: pieces, lines with their numbers, and labels under them."""

    bars: Sequence[Bar]
    lines: Sequence[tuple[float, int]]
    labels: Sequence[tuple[float, str]]
    legend: Sequence[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def columns(labels: Sequence[str], series: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """Return a chart with a column a label, made of a piece a series, from the bottom up."""
    totals = [sum(values[i] for _, values in series) for i in range(len(labels))]
    top = nice(max(totals, default=0))
    slot = (WIDTH - LEFT) / max(len(labels), 1)
    scale = (HEIGHT - TOP - BOTTOM) / top
    bars = []
    for i, label in enumerate(labels):
        y = float(HEIGHT - BOTTOM)
        for number, (name, values) in enumerate(series):
            height = values[i] * scale
            y -= height
            if values[i]:
                colour = COLOURS[number % len(COLOURS)]
                bars.append(Bar(LEFT + i * slot + 1, y, slot - 2, height, colour, f"{label}: {values[i]} {name}"))
    every = max(1, -(-len(labels) // 8))
    return Chart(
        bars=bars,
        lines=[(HEIGHT - BOTTOM - value * scale, value) for value in sorted({0, top // 2, top})],
        labels=[(LEFT + (i + 0.5) * slot, label) for i, label in enumerate(labels) if i % every == 0],
        legend=[(name, COLOURS[number % len(COLOURS)]) for number, (name, _) in enumerate(series)],
    )


def nice(most: int) -> int:
    """Return the number at which a scale ends: the next of 1, 2, 4, 6, 8, 10 times a power of ten, even from 2 on."""
    size = 1
    while most > 10 * size:
        size *= 10
    return next((step * size for step in (1, 2, 4, 6, 8, 10) if most <= step * size), 1)
