"""`make demo ONCE=1`: the demo ends by itself, with 0 only if every email that it expected was delivered."""

import subprocess
import sys

import pytest

from sandbox.processes import ROOT

pytestmark = pytest.mark.process


def test_the_demo_delivers_all_it_expects():
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.demo", "--once"], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[-1] == "14 of 14 emails delivered"
    assert any("planned → sending" in line for line in lines)
    assert any("sent by the website" in line for line in lines)
