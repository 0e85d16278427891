"""What a process of Funnel imports at its start: imported once, for all that are forked from here."""

import gc
import sys
from importlib import import_module

import funnel_app.app

# What runs as a program runs again, and is not in memory before.
PROGRAMS = ("jobs.scheduler", "jobs.worker", "sandbox.__main__")

__all__ = ["funnel_app"]

for name in PROGRAMS:
    import_module(name)
    del sys.modules[name]
# A collection in a fork would look at all of it, and copy what it looks at.
gc.collect()
gc.freeze()
