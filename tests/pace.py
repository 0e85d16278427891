"""How much slower this machine is now than a quiet one, so that limits in seconds hold on any."""

import os
import subprocess
import sys
import time
from functools import cache

from sandbox.processes import ROOT

# A process of ours starts within this time where nothing else runs.
QUIET_START_S = 2.0


def patient(seconds: float) -> float:
    """Return a limit for a machine that is slow by itself, or has more to do than it has processors."""
    return seconds * max(1.0, _slow_by_itself(), os.getloadavg()[0] / (os.cpu_count() or 1))


@cache
def _slow_by_itself() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import funnel_app.app"], cwd=ROOT, check=True)
    return (time.monotonic() - began) / QUIET_START_S
