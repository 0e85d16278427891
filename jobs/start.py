"""What a container runs: it begins the migrations where its role asks for them, and becomes its part, or all parts."""

import os
import subprocess
import sys
from pkgutil import resolve_name

from funnel_app.campaigns.parse import CampaignError
from funnel_app.campaigns.registry import load_registry
from funnel_app.config import ConfigError, load_settings
from jobs.processes import ALL, MIGRATION, PARTS


def main() -> None:
    """Become what `ROLE` says: all, web, worker, scheduler or migrate; faulty settings are told, all at once."""
    try:
        settings = load_settings()
        if settings.role == "all":
            # Else both the migration and this process would say what is wrong with them.
            load_registry(settings.extra_campaigns, settings.campaigns_dir)
    except (ConfigError, CampaignError) as fault:
        sys.exit(str(fault))
    if settings.role == "all":
        # It migrates while this process, as all parts, imports what they need and then waits for it.
        subprocess.Popen([sys.executable, *MIGRATION])
        # In this very process: what it has imported by now it need not import again.
        sys.exit(resolve_name(ALL)())
    # In place of this process, so that a stop reaches the part itself.
    become = {"migrate": MIGRATION, **PARTS}[settings.role]
    os.execv(sys.executable, [sys.executable, *become])  # noqa: S606 - our own command, and no shell is wanted


if __name__ == "__main__":
    main()
