"""First step of every process: settings and logs, also of the migration, which needs no collaborators."""

import atexit
import gc
import sys
from functools import cache

from funnel_app.campaigns.parse import CampaignError
from funnel_app.campaigns.registry import load_registry
from funnel_app.config import ConfigError, Settings, load_settings
from funnel_app.faults import report_faults
from funnel_app.ledger.database.engine import prepare
from funnel_app.logs import configure_logging
from funnel_app.redact import redactor
from jobs.shared_memory import one_heap


def start(*, prints: bool = False) -> Settings:
    """Return the settings with logs configured; exits with all faults of settings or campaign files.

    What `prints` says itself, to a person, what happened: of its log only errors show, unless LOG_LEVEL is DEBUG.
    """
    # Before any thread, which would have a heap of its own.
    one_heap()
    try:
        read = settings()
        # Also before a fork, so that the campaigns are in memory once.
        load_registry(read.extra_campaigns, read.campaigns_dir)
    except (ConfigError, CampaignError) as fault:
        sys.exit(str(fault))
    less = prints and read.log_level.upper() in {"INFO", "WARNING"}
    configure_logging("ERROR" if less else read.log_level, redactor(read))
    report_faults(read)
    prepare()
    # A final garbage collection takes seconds on a busy machine, and a stop has ten.
    atexit.register(gc.freeze)
    return read


@cache
def settings() -> Settings:
    """Return the settings of this process, read once; ConfigError names every fault."""
    return load_settings()
