"""The demo, forked, for a machine that is so many times slower: `python -m tests.process.patient_demo TIMES WORDS…`."""

import runpy
import sys

from sandbox import play, stack

LIMITS = ((play, "GIVE_UP_AFTER_S"), (play, "QUIET_AFTER_S"), (stack, "TOLD_WITHIN_S"), (stack, "READY_WITHIN_S"))

if __name__ == "__main__":
    times = float(sys.argv.pop(1))
    for module, limit in LIMITS:
        setattr(module, limit, times * getattr(module, limit))
    sys.argv.insert(1, "sandbox.demo")
    runpy.run_module("tests.process.forking", run_name="__main__")
