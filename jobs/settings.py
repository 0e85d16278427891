"""What every process of Funnel does first, the migration too, which needs no collaborators: settings and logs."""

import atexit
import gc
import sys
from functools import cache

from funnel_app.campaigns.parse import CampaignError
from funnel_app.campaigns.registry import load_registry
from funnel_app.config import ConfigError, Settings, load_settings
from funnel_app.faults import report_faults
from funnel_app.ledger.engine import prepare
from funnel_app.logs import configure_logging
from funnel_app.redact import redactor


def start() -> Settings:
    """Return the settings with logs set up; a faulty setting or campaign file ends the process with all faults."""
    try:
        read = settings()
        # Before a fork too, so that the campaigns are in memory once.
        load_registry(read.extra_campaigns, read.campaigns_dir)
    except (ConfigError, CampaignError) as fault:
        sys.exit(str(fault))
    configure_logging(read.log_level, redactor(read))
    report_faults(read)
    prepare()
    # Gathering garbage for the last time takes seconds on a busy machine, and a stop has ten.
    atexit.register(gc.freeze)
    return read


@cache
def settings() -> Settings:
    """Return the settings of this process, read once; ConfigError names every fault."""
    return load_settings()
