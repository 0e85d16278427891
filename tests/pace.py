"""How much slower this machine is now than a quiet one, so that limits in seconds hold on any."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from time import monotonic

from sandbox.processes import ROOT
from tests.once import once_a_run

# A process of ours imports itself within this time where nothing else runs.
QUIET_START_S = 1.5
LOAD = Path("/proc/loadavg")


def patient(seconds: float) -> float:
    """Return a limit for a machine that is slow by itself, or has more to do than it has processors."""
    return seconds * max(1.0, _slow_by_itself(), _load() / (os.cpu_count() or 1))


def _load() -> float:
    """Return how many processes want a processor: on average in the last minute, or now where that is more."""
    now = int(LOAD.read_text().split()[3].partition("/")[0]) if LOAD.exists() else 0
    return max(os.getloadavg()[0], now)


@cache
def _slow_by_itself() -> float:
    return float((once_a_run("pace", _measure) / "slow").read_text())


def _measure(folder: Path) -> None:
    began = monotonic()
    subprocess.run([sys.executable, "-c", "import funnel_app.app"], cwd=ROOT, check=True)
    (folder / "slow").write_text(str((monotonic() - began) / QUIET_START_S))
