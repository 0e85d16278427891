"""`flask setup`, answered through a pipe, with its commands forked: `python -m tests.process.answered PIPE WORDS…`."""

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from funnel_app.commands import setup
from tests.process.forked import fork


def run(command: list[str], *, env: dict[str, str], check: bool) -> subprocess.CompletedProcess[str]:
    """Run a command that says what it says where this process does."""
    here = Path(f"/proc/self/fd/{sys.stdout.fileno()}").resolve()
    return subprocess.CompletedProcess(command, fork(command, env, here, here).wait())


if __name__ == "__main__":
    setup.subprocess = SimpleNamespace(run=run)  # type: ignore[assignment]
    with Path(sys.argv[1]).open(encoding="utf-8") as sys.stdin:
        sys.argv = ["flask", "--app", "wsgi", "setup", *sys.argv[2:]]
        runpy.run_module("flask", run_name="__main__", alter_sys=True)
