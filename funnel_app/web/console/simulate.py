"""Simulate: what a lead would get, on a simulated clock; nothing is written or sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from flask import request
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.simulation.judge import warnings_of
from funnel_app.flows.simulation.script import TITLES, NotUnderstood, write_script
from funnel_app.flows.simulation.simulate import Played, simulate
from funnel_app.flows.templates.samples import SAMPLES
from funnel_app.web.console.shared.frame import blueprint, page


@dataclass(frozen=True)
class Shown:
    """A finished simulation, its problems for a lead, and its time zone."""

    calendar: list[Played] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    zone: str = ""


@blueprint.get("/simulate")
def simulate_page() -> ResponseReturnValue:
    """Ask for a sequence, and show the calendar of what a lead would get."""
    given, fault, shown = request.args, "", Shown()
    if given.get("sequence"):
        try:
            shown = _played(given)
        except NotUnderstood as words:
            fault = str(words)
    titles = current_deps().registry.sequence_titles()
    shows = page(
        "simulate.html",
        given=given,
        fault=fault,
        shown=shown,
        titles=titles,
        in_titles=partial(_in_titles, titles),
        samples=SAMPLES,
        events=list(TITLES),
    )
    return shows, 422 if fault else 200


def _in_titles(titles: Mapping[str, str], words: str) -> str:
    """Return words in which sequences are called by their titles, as on the rest of the page."""
    return " ".join(_in_title(titles, word, word.rstrip(";,.")) for word in words.split(" "))


def _in_title(titles: Mapping[str, str], word: str, name: str) -> str:
    return f"“{titles[name]}”{word.removeprefix(name)}" if name in titles else word


def _played(given: Mapping[str, str]) -> Shown:
    deps = current_deps()
    script = write_script(
        deps.registry,
        given["sequence"],
        now=deps.now(),
        at=given.get("at", "").strip(),
        then=[line for line in given.get("then", "").splitlines() if line.strip()],
        sample=given.get("sample") or SAMPLES[0],
        lead=given.get("lead", "").strip() or None,
    )
    calendar = simulate(deps, script)
    return Shown(calendar, warnings_of(calendar, script.campaign, script.at), script.campaign.timezone)
