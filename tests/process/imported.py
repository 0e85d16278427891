"""What a process of Funnel imports at its start: imported once, for all that are forked from here."""

import gc
import os
import sys
from importlib import import_module

from funnel_app.ledger.database.engine import prepare

# What runs as a program runs again, and is not in memory before.
PROGRAMS = ("jobs.scheduler", "jobs.worker", "sandbox.__main__")

# What a web process and a command import besides; `wsgi` itself would make an application.
SERVING = ("jobs.application", "jobs.web", "jobs.web_log", "jobs.web_worker", "funnel_app.commands.alone")

# A signal to a whole run, as `timeout` sends it, is not for the server of forks: without it none could be waited for.
os.setsid()
# What is imported stays, and is no garbage to look for.
gc.disable()
for name in (*SERVING, "tests.process.forked", *PROGRAMS):
    import_module(name)
prepare()
for name in PROGRAMS:
    del sys.modules[name]
# A collection in a fork would look at all of it, and copy what it looks at.
gc.collect()
gc.freeze()
gc.enable()
