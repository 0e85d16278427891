"""A program of the sandbox ends in one line on Ctrl-C, also while it is still being imported."""

import signal
import subprocess
import sys

import pytest

from sandbox.processes import ROOT
from sandbox.start import INTERRUPTED


@pytest.mark.parametrize(("program", "imported"), [("demo", "sandbox.processes"), ("run", "dotenv.main")])
def test_ctrl_c_while_a_program_is_imported_is_one_line(program, imported):
    command = [sys.executable, "-X", "importtime", "-m", "sandbox.start", program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.split("|")[-1].strip() == imported:
                process.send_signal(signal.SIGINT)
                break
        said, told = process.communicate(timeout=60)
    assert (process.returncode, said) == (INTERRUPTED, "\nStopped; nothing is left running.\n")
    assert [line for line in told.splitlines() if not line.startswith("import time:")] == []


def test_a_program_gets_its_words_and_its_end_is_that_of_the_start():
    command = [sys.executable, "-m", "sandbox.start", "live", "--to", "nobody"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("Wanted: export HOOK_SECRET")
