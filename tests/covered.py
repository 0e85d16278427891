"""Coverage of lines and branches: `pytest -p tests.covered`, which is there before the product is imported.

What has run once is taken out of the measuring, so that the rest of a run costs next to nothing.
"""

import gc
import io
from typing import Any

import pytest
from slipcover import Slipcover, print_coverage

from tests.instrumented import count_unseen, measure_imports

NOT_RUN = ["if TYPE_CHECKING:", "raise NotImplementedError", "@overload", r"\.\.\.$"]
AT_LEAST = 90

_measured = Slipcover(branch=True, exclude_also=NOT_RUN)
_covered = pytest.StashKey[dict[str, Any]]()


def pytest_load_initial_conftests() -> None:
    """Measure what is imported from now on; a worker may be a fork that measures already (tests/forked_workers.py)."""
    # What is imported stays: none of it is garbage. Tests begin with `gc.enable` (tests/conftest.py).
    gc.disable()
    measure_imports(_measured)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has run."""
    for file, seen in getattr(node, "workeroutput", {}).get("covered", {}).items():
        _measured.all_seen[file].update(seen)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was run to the run that started this worker; fail a run that covers too little."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["covered"] = {file: list(seen) for file, seen in _seen().items()}
        return
    count_unseen(_measured)
    session.config.stash[_covered] = _measured.get_coverage()
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


def _seen() -> dict[str, set[Any]]:
    """Return by file the lines and branches that ran."""
    for file, seen in _measured._get_newly_seen().items():
        _measured.all_seen[file].update(seen)
    return dict(_measured.all_seen)


def _total(config: pytest.Config) -> float:
    return float(config.stash[_covered]["summary"]["percent_covered"])
