"""What a container runs: it begins the migrations where its role asks for them, and becomes its part, or all parts."""

import os
import subprocess
import sys

from funnel_app.config import ConfigError, load_settings
from jobs.processes import ALL, MIGRATION, PARTS


def main() -> None:
    """Become what `ROLE` says: all, web, worker, scheduler or migrate; faulty settings are told, all at once."""
    try:
        settings = load_settings()
    except ConfigError as fault:
        sys.exit(str(fault))
    if settings.role == "all":
        # It migrates while this process, as all parts, imports what they need and then waits for it.
        subprocess.Popen([sys.executable, *MIGRATION])
    # In place of this process, so that a stop reaches the part itself.
    become = {"all": ALL, "migrate": MIGRATION, **PARTS}[settings.role]
    os.execv(sys.executable, [sys.executable, *become])  # noqa: S606 - our own command, and no shell is wanted


if __name__ == "__main__":
    main()
