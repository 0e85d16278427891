"""Coverage of lines and branches: `pytest -p tests.covered`, which is there before the product is imported.

What has run once is taken out of the measuring, so that the rest of a run costs next to nothing.
"""

import io
import json
import os
from typing import Any

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, merge_coverage, print_coverage

SOURCES = ["funnel_app", "jobs", "sandbox"]
NOT_RUN = ["if TYPE_CHECKING:", "raise NotImplementedError", "@overload", r"\.\.\.$"]
AT_LEAST = 90

_measured = Slipcover(branch=True, source=SOURCES, exclude_also=NOT_RUN)
_covered = pytest.StashKey[dict[str, Any]]()


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Measure what is imported from now on, but not in a run that has workers for its tests."""
    if "PYTEST_XDIST_WORKER" in os.environ or not early_config.known_args_namespace.numprocesses:
        ImportManager(_measured, FileMatcher(sources=SOURCES)).__enter__()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist measured."""
    if measured := getattr(node, "workeroutput", {}).get("covered"):
        _add(node.config, json.loads(measured))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was measured to the run that started this worker; fail a run that covers too little."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["covered"] = json.dumps(_measured.get_coverage())
        return
    if _covered not in session.config.stash:
        _add(session.config, _measured.get_coverage())
    if _total(session.config) < AT_LEAST and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what is not covered in each file, and the total."""
    table = io.StringIO()
    print_coverage(config.stash[_covered], outfile=table, skip_covered=True, missing_width=60)
    lines = [line.rstrip() for line in table.getvalue().splitlines() if "(summary)" not in line]
    summary = config.stash[_covered]["summary"]
    counts = (
        f"{summary[f'covered_{kind}'] + summary[f'missing_{kind}']} {kind}, {summary[f'missing_{kind}']} missing"
        for kind in ("lines", "branches")
    )
    terminalreporter.write_line("\n".join(lines))
    terminalreporter.write_line(f"TOTAL  {', '.join(counts)}  {_total(config):.0f}%")
    if _total(config) < AT_LEAST:
        terminalreporter.write_line(f"Coverage of {_total(config):.2f}% is less than the {AT_LEAST}% asked for")


def _add(config: pytest.Config, measured: dict[str, Any]) -> None:
    if _covered in config.stash:
        merge_coverage(config.stash[_covered], measured)
    else:
        config.stash[_covered] = measured


def _total(config: pytest.Config) -> float:
    return float(config.stash[_covered]["summary"]["percent_covered"])
