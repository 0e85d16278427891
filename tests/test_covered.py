"""A run tells what it covers, by lines and branches of all its workers together, and fails where that is too little."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.processes import ROOT
from tests.pace import patient

RULE = """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def size(number: int) -> str:
    if number > 9:
        return "big"
    return "small"
"""
BIG = 'def test_big():\n    from funnel_app.rule import size\n\n    assert size(10) == "big"\n'
SMALL = 'def test_small():\n    from funnel_app.rule import size\n\n    assert size(9) == "small"\n'


@pytest.fixture
def product(tmp_path: Path) -> Path:
    for room in ("funnel_app", "jobs", "sandbox"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "funnel_app/rule.py").write_text(RULE)
    return tmp_path


def run(product: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    for number, test in enumerate(tests):
        (product / f"test_{number}.py").write_text(test)
    asked = [sys.executable, "-m", "pytest", "-p", "xdist", "-n", str(len(tests)), "-p", "tests.covered"]
    env = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(asked, cwd=product, env=env, capture_output=True, text=True, timeout=patient(60), check=False)


def test_what_each_worker_ran_counts_together(product):
    done = run(product, BIG, SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TOTAL  5 lines, 0 missing, 2 branches, 0 missing  100%" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("=") and "2 passed" in done.stdout.splitlines()[-1]


def test_a_run_that_covers_too_little_fails_and_names_what_is_missing(product):
    (product / "jobs/never.py").write_text("print('never imported')\n")
    done = run(product, SMALL)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "TOTAL  6 lines, 2 missing, 2 branches, 1 missing  62%" in done.stdout
    assert "less than the 90%" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("funnel_app", "jobs"))] == [
        "funnel_app/rule.py",
        "jobs/never.py",
    ]
