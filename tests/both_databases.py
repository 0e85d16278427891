"""Which tests run on PostgreSQL too, and whether every statement of the ledger is run there by one of them.

A test costs on PostgreSQL what it costs on SQLite, and proves something new only where a statement, a lock or a count
is new. So those run on both that are marked `both_databases`; at the end of a whole run each function of the ledger
that asked SQLite must have asked PostgreSQL. Of one that did, a line that did not is told alone: which lines of a race
are reached is chance, and no run fails by chance.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection, Dialect, Engine, event

from funnel_app import ledger
from funnel_app.ledger.database import compiled, driver

# `make quick` runs on SQLite alone.
DATABASES = os.environ.get("TEST_DATABASES", "sqlite,postgresql").split(",")
LEDGER = f"{Path(ledger.__file__).parent}{os.sep}"
HOUSE = str(Path(__file__).parents[1])
LIBRARIES = f"{os.sep}site-packages{os.sep}"
# They carry out what others in the ledger word.
HANDS = {f"{LEDGER}database{os.sep}{name}.py" for name in ("compiled", "driver", "engine", "insert_or_ignore")}
# What SQLite alone needs to be asked: its file, a ledger in memory, and tables recreated to be changed.
ONLY_SQLITE = ("storage.damage:", "scratch.", "schema._changing:", "schema.downgrade:", "schema.make_revision:")

# By database: each place, and the test that asked there first.
asked: dict[str, dict[str, str]] = defaultdict(dict)


def watch() -> None:
    """Note from now on which place in the ledger asks which database."""
    event.listen(Engine, "before_cursor_execute", lambda connection, *_: _note(connection))
    for name in ("ask", "write"):
        setattr(driver, name, _noting(getattr(driver, name)))
    for statement in (compiled.Insert, compiled.Update):
        setattr(statement, "prepared", _noting_prepared(statement.prepared))  # noqa: B010 (mypy forbids the assignment)


def _noting(verb: Any) -> Any:
    def noted(connection: Connection, text: str, *given: Any) -> Any:
        if not text.startswith("BEGIN"):
            _note(connection)
        return verb(connection, text, *given)

    return noted


def _noting_prepared(verb: Any) -> Any:
    def noted(statement: object, dialect: Dialect, rows: Sequence[Any]) -> Any:
        place = _place()
        return [_noting_write(write, place) for write in verb(statement, dialect, rows)]

    return noted


def _noting_write(write: Any, place: str | None) -> Any:
    """Note once it is written where what was made ready before was made."""

    def noted(connection: Connection) -> Any:
        _note(connection, place)
        return write(connection)

    return noted


def _note(connection: Connection, place: str | None = None) -> None:
    noted = asked[connection.dialect.name]
    if (place := place or _place()) and place not in noted:
        noted[place] = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]


def _place() -> str | None:
    """Return the function and line of the ledger that asks; None for what a flow's commit writes."""
    frame: FrameType | None = sys._getframe(0)
    while frame := frame and frame.f_back:
        module = _module(frame.f_code.co_filename)
        if module is not None:
            return module and f"{module}.{frame.f_code.co_qualname}:{frame.f_lineno}"
    return None


@cache
def _module(path: str) -> str | None:
    """Return a module of the ledger; empty where a flow or a test commits, and nobody above them can have asked."""
    if path.startswith(LEDGER) and path not in HANDS:
        return Path(path).stem
    passed_on = path in HANDS or path == __file__ or LIBRARIES in path or not path.startswith(HOUSE)
    return None if passed_on else ""


def never_asked_postgresql(asked: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the places that asked SQLite and not PostgreSQL, though they should."""
    missing = asked["sqlite"].keys() - asked["postgresql"].keys()
    return sorted(place for place in missing if not place.startswith(ONLY_SQLITE))


def fails_for(places: Iterable[str], asked: Mapping[str, Mapping[str, str]]) -> bool:
    """Say whether one of these places is in a function that asked PostgreSQL nowhere."""
    known = {place.partition(":")[0] for place in asked["postgresql"]}
    return any(place.partition(":")[0] not in known for place in places)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that takes a ledger, and is for both databases, have one of each."""
    chosen = any("engine" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not chosen and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("engine", DATABASES, indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist noted."""
    for database, places in getattr(node, "workeroutput", {}).get("asked", {}).items():
        asked[database].update(places)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was noted to the run that started this worker; fail a whole run that left a place out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["asked"] = dict(asked)
    elif _is_whole(session) and fails_for(never_asked_postgresql(asked), asked):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _is_whole(session: pytest.Session) -> bool:
    given = session.config
    chosen = given.option.keyword or given.option.markexpr or given.args_source is pytest.Config.ArgsSource.ARGS
    return not chosen and len(DATABASES) > 1 and not session.testsfailed and not session.shouldstop


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Say which places asked only SQLite, and a test of each that may be marked."""
    for place in never_asked_postgresql(asked) if _is_whole(terminalreporter._session) else []:
        terminalreporter.write_line(
            f"{place} never asked PostgreSQL: mark one of its tests both_databases, such as {asked['sqlite'][place]}"
        )
