"""The rooms that a lead goes through, drawn from the code's own imports."""

from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
# From the doors down; a room stands for all below it that is not named itself.
ROOMS = (
    "jobs",
    "funnel_app.web",
    "funnel_app.commands",
    "funnel_app.flows.simulation",
    "funnel_app.flows.console",
    "funnel_app.flows.lists",
    "funnel_app.flows.maintenance",
    "funnel_app.flows.privacy",
    "funnel_app.flows.tracing",
    "funnel_app.flows.monitoring",
    "funnel_app.flows.outbox",
    "funnel_app.flows.replies",
    "funnel_app.flows.mirror",
    "funnel_app.flows.sending",
    "funnel_app.flows.templates",
    "funnel_app.flows.intake",
    "funnel_app.lists",
    "funnel_app.rules",
    "funnel_app.letters",
    "funnel_app.gateways",
    "funnel_app.ledger",
    "funnel_app.campaigns",
)
Arrows = dict[str, set[str]]


def house_picture() -> str:
    """Return the rooms with their files, and an arrow from each to those that it asks, as a Mermaid diagram.

    The files of a room within one stand on lines of their own. An arrow that goes the long way round over other arrows
    is left out.
    """
    arrows = _without_detours(_arrows())
    boxes = [f'  {_id(room)}["<b>{_place(room)}</b><br/>{"<br/>".join(_inside(room))}"]' for room in ROOMS]
    lines = [f"  {_id(room)} --> {_id(below)}" for room in ROOMS for below in ROOMS if below in arrows[room]]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *lines, "```", ""])


def _arrows() -> Arrows:
    graph = grimp.build_graph("funnel_app", "jobs", cache_dir=None)
    found: Arrows = {room: set() for room in ROOMS}
    for module in graph.modules:
        above = _room(module)
        for imported in graph.find_modules_directly_imported_by(module) if above else ():
            below = _room(imported)
            if above and below and below != above:
                found[above].add(below)
    return found


def _room(module: str) -> str | None:
    inside = [room for room in ROOMS if module == room or module.startswith(f"{room}.")]
    return max(inside, key=len, default=None)


def _without_detours(arrows: Arrows) -> Arrows:
    return {
        room: {below for below in asked if not any(below in _reach(other, arrows) for other in asked - {below})}
        for room, asked in arrows.items()
    }


def _reach(room: str, arrows: Arrows) -> set[str]:
    reached, waiting = set[str](), [room]
    while waiting:
        fresh = arrows[waiting.pop()] - reached
        reached |= fresh
        waiting += fresh
    return reached


def _inside(room: str) -> Iterator[str]:
    folder = ROOT / room.replace(".", "/")
    yield from _lines(_files(folder))
    for each in sorted(path for path in folder.iterdir() if (path / "__init__.py").exists()):
        if f"{room}.{each.name}" not in ROOMS:
            yield from _lines([f"<i>{each.name}/</i>", *_files(each)])


def _files(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def _lines(names: list[str], width: int = 44) -> Iterator[str]:
    line = ""
    for name in names:
        if line and len(line) + len(name) > width:
            yield line
            line = ""
        line += f"{name} "
    yield line.strip()


def _place(room: str) -> str:
    return room.removeprefix("funnel_app.").replace(".", "/")


def _id(room: str) -> str:
    return _place(room).replace("/", "_")
