"""Write the documents' tables from the code, between markers; with --check only say which have drifted.

`docs/failures.md` takes a minute, since each failure is played; `python -m docs.tables docs/commands.md` writes one.

A table stands between `<!-- table: NAME -->` and `<!-- /table -->`; everything else in a document is written by hand.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.campaign_tables import exits, hooks, sequences, steps
from docs.files import files
from docs.helped import commands
from docs.house_picture import house_picture
from docs.ledger_picture import ledger_picture, ledger_tables
from docs.markdown import markdown
from docs.pairs import Pair, play
from docs.played import failures
from docs.routes import callers
from docs.settings_table import settings
from funnel_app.app import create_app
from funnel_app.campaigns.catalogue import CATALOGUE
from funnel_app.campaigns.registry import whole_registry
from funnel_app.campaigns.states import ALLOWED, STOPPED, State
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.flows.monitoring.doctor import CHECKS
from funnel_app.flows.monitoring.statistics.metrics import KINDS
from funnel_app.flows.templates.cures import CURES
from funnel_app.ledger.outbox import MEANINGS
from funnel_app.logs import configure_logging
from sandbox.settings import Settings as SandboxSettings
from tests.factories import make_deps
from tests.sqlite_files import migrated, open_copy

RAW = argparse.RawDescriptionHelpFormatter
ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "docs/commands.md",
    "docs/events.md",
    "docs/files.md",
    "docs/variables.md",
    "docs/templates.md",
    "docs/website-integration.md",
    "docs/sequences.md",
    "docs/security.md",
    "docs/failures.md",
    "docs/production-checklist.md",
    "docs/operations.md",
    "docs/testing.md",
)
MARKED = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def lead_events() -> str:
    """Return every kind of event that receivers outside are told, with its meaning."""
    return markdown(("type", "what happened"), [(f"`{kind}`", words) for kind, words in MEANINGS.items()])


def states() -> str:
    """Return every state of an email and the states that may follow."""
    rows = [
        (f"`{state}`", ", ".join(f"`{new}`" for new in State if new in ALLOWED[state]) or "none", _kind(state))
        for state in State
    ]
    return markdown(("state", "may become", "counts as"), rows)


def _kind(state: State) -> str:
    if state is State.DELIVERED:
        return "delivered"
    return "stopped" if state in STOPPED else "open"


def variables() -> str:
    """Return every variable that a template may use."""
    rows = [
        (f"`{v.name}`", v.type, v.source.value, v.description, v.example, v.default or "")
        for v in CATALOGUE.values()
    ]  # fmt: skip
    return markdown(("variable", "type", "from", "what it is", "example", "default"), rows)


def checks() -> str:
    """Return everything that the doctor looks at."""
    rows = [(name, (look.__doc__ or "").splitlines()[0]) for name, look in CHECKS.items()]
    return markdown(("looks at", "and wants that"), rows)


def problems() -> str:
    """Return everything that the audit may find in a template, and what to do about it."""
    return markdown(("problem", "what to do"), ((f"`{code}`", cure) for code, cure in CURES.items()))


@contextmanager
def _scratch_deps() -> Iterator[Deps]:
    """Give collaborators over an empty ledger, with fake gateways and a clock that stands."""
    with TemporaryDirectory() as folder:
        engine = open_copy(migrated(), Path(folder) / "funnel.db")
        yield replace(make_deps(engine), registry=whole_registry())
        engine.dispose()


def who_may_call() -> str:
    """Return every proof with the routes that it opens."""
    with _scratch_deps() as deps:
        return markdown(("guard", "stands before"), callers(create_app(deps)))


def every_command() -> str:
    """Return every command as its own help has it."""
    return commands()


def pairs() -> str:
    """Return what comes of every event while each sequence runs, as the real flow does it."""
    with _scratch_deps() as deps:
        played = [pair for campaign in deps.registry.campaigns.values() for pair in play(deps, campaign)]
    by_sequence = groupby(played, key=lambda pair: (pair.campaign, pair.sequence))
    return "\n".join(_pair_table(*names, rows) for names, rows in by_sequence)


def _pair_table(campaign: str, sequence: str, rows: Iterable[Pair]) -> str:
    heads = ("what arrives", "ends", "starts", "answer", f"had it come first, `{sequence}` would be")
    body = [
        (
            pair.event,
            _names(pair.ended),
            _begun(pair),
            _in_words(pair.answer, pair.reason),
            _in_words(pair.late, pair.late_reason),
        )
        for pair in rows
    ]
    return f"### While `{sequence}` of `{campaign}` runs\n\n{markdown(heads, body)}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _begun(pair: Pair) -> str:
    if pair.moved:
        return "nothing; its emails move"
    return f"`{pair.started}`" if pair.started else ""


def _in_words(answer: str, reason: str | None) -> str:
    return f"{answer}: {reason}" if reason else answer


def alarms() -> str:
    """Return every kind of alarm, what it means and how long it must last first."""
    rows = [
        (f"`{kind}`", alarm.title, alarm.meaning, f"{alarm.patience.total_seconds():.0f} s")
        for kind, alarm in ALARMS.items()
    ]
    return markdown(("kind", "alert", "what it means", "told after"), rows)


def metrics() -> str:
    """Return every figure of `/metrics`."""
    rows = [
        (f"`funnel_{name}`", ", ".join(f"`{label}`" for label in kind.labels) or "none", kind.meaning)
        for name, kind in KINDS.items()
    ]
    return markdown(("figure", "labels", "what it is"), rows)


def switches() -> str:
    """Return every switch of the stand-ins with its value at the start."""
    found = SandboxSettings().as_json()
    rows = [
        (f"`{section}.{name}`", f"`{json.dumps(value)}`") for section in found for name, value in found[section].items()
    ]
    return markdown(("switch", "at the start"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "failures": failures,
    "files": files,
    "settings": settings,
    "lead-events": lead_events,
    "sequences": sequences,
    "hooks": hooks,
    "exits": exits,
    "states": states,
    "steps": steps,
    "house-picture": house_picture,
    "ledger-picture": ledger_picture,
    "ledger-tables": ledger_tables,
    "variables": variables,
    "checks": checks,
    "alarms": alarms,
    "metrics": metrics,
    "problems": problems,
    "pairs": pairs,
    "commands": every_command,
    "switches": switches,
    "who-may-call": who_may_call,
}


def filled(text: str) -> str:
    """Return a document with its tables as the code has them now; KeyError names a table that nobody makes."""
    return MARKED.sub(lambda found: found[1] + TABLES[found["name"]]() + found[3], text)


def drifted(documents: Iterable[str]) -> list[str]:
    """Return which of these documents have other tables than the code."""
    return [name for name in documents if filled(_read(name)) != _read(name)]


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def main(arguments: list[str]) -> int:
    """Write the tables of these documents, or of all; with --check only return 1 where one has drifted."""
    parser = argparse.ArgumentParser(prog="python -m docs.tables", description=__doc__, formatter_class=RAW)
    parser.add_argument("documents", nargs="*", metavar="DOCUMENT", help="such as docs/commands.md; by default all")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    if unknown := set(given.documents) - set(DOCUMENTS):
        parser.error(f"{', '.join(sorted(unknown))}: there are tables in {', '.join(DOCUMENTS)}")
    names = drifted(given.documents or DOCUMENTS)
    for name in names:
        if given.check:
            print(f"{name}: its tables are not those of the code; run make docs")  # noqa: T201
        else:
            (ROOT / name).write_text(filled(_read(name)), "utf-8")
    return int(given.check and bool(names))


if __name__ == "__main__":
    configure_logging("error")
    sys.exit(main(sys.argv[1:]))
