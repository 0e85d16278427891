"""Pictures: the geometry of charts and of sequences, drawn as SVG on the server; no script is needed to see them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1160, 240
LEFT, BOTTOM, TOP = 44, 26, 10
# Each at least 3:1 against white; a state has its own colour wherever it is drawn.
PLAIN = "#a8742c"
COLOURS = {
    "delivered": "#1f6b3a",
    "planned": "#2f6f9f",
    "sending": "#00838f",
    "sent": "#4f7f2f",
    "delayed": "#8a6d00",
    "held": "#9c2a16",
    "ambiguous": "#b0406b",
    "bounced": "#d1495b",
    "complained": "#6a1b3a",
    "failed": "#5c1a0e",
    "cancelled": "#8f8677",
    "skipped": "#5f6f7f",
    "suppressed": "#6b5b95",
}


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
        for name, values in series:
            height = values[i] * scale
            y -= height
            if values[i]:
                title = f"{label}: {values[i]} {name}"
                bars.append(Bar(LEFT + i * slot + 1, y, slot - 2, height, COLOURS.get(name, PLAIN), title))
    every = max(1, -(-len(labels) // 8))
    return Chart(
        bars=bars,
        lines=[(HEIGHT - BOTTOM - value * scale, value) for value in sorted({0, top // 2, top})],
        labels=[(LEFT + (i + 0.5) * slot, label) for i, label in enumerate(labels) if i % every == 0],
        legend=[(name, COLOURS.get(name, PLAIN)) for name, _ in series],
    )


def nice(most: int) -> int:
    """Return the number at which a scale ends: the next of 1, 2, 4, 6, 8, 10 times a power of ten, even from 2 on."""
    size = 1
    while most > 10 * size:
        size *= 10
    return next((step * size for step in (1, 2, 4, 6, 8, 10) if most <= step * size), 1)
