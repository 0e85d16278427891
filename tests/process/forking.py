"""Run a module of ours as `python -m` does, with forked processes: `python -m tests.process.forking MODULE`."""

import runpy
import sys

from sandbox.processes import Processes
from tests.process.forked import fork

if __name__ == "__main__":
    Processes.starter = staticmethod(fork)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__")
