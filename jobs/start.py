"""A container's entry point: start the migration if its role needs it, and become its process, or all of them."""

import os
import subprocess
import sys

from funnel_app.campaigns.parse import CampaignError
from funnel_app.campaigns.registry import load_registry
from funnel_app.config import ConfigError, load_settings
from jobs.command_line import take_nothing
from jobs.importing import imported
from jobs.processes import ALL, MIGRATION, PARTS

# What libraries take where it is installed, and none of the parts uses: 4 MB of coloured tracebacks, and 1.4 MB for
# httpx's command line and descriptions of hooks in YAML.
UNUSED = ("rich", "pygments", "yaml")


def main() -> None:
    """Become what `ROLE` says: all, web, worker, scheduler or migrate; reports all faulty settings at once."""
    try:
        settings = load_settings()
        if settings.role == "all":
            # Otherwise both the migration and this process would report them.
            load_registry(settings.extra_campaigns, settings.campaigns_dir)
    except (ConfigError, CampaignError) as fault:
        sys.exit(str(fault))
    if settings.role == "all":
        # It migrates while this process imports what it needs, and then waits for it.
        subprocess.Popen([sys.executable, *MIGRATION])
        # None says that there is none: https://docs.python.org/3.11/reference/import.html#the-module-cache
        sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]
        # In this process, which has already imported what it needs to begin.
        sys.exit(imported(ALL)())
    # Replaces this process, so that a stop signal reaches it directly.
    become = {"migrate": MIGRATION, **PARTS}[settings.role]
    os.execv(sys.executable, [sys.executable, *become])  # noqa: S606 - our own command, and no shell is wanted


if __name__ == "__main__":
    take_nothing(__doc__)
    main()
