"""The operator at the command line, and the log of what they do."""

import getpass
import os
from typing import Any

from funnel_app.current import current_deps
from funnel_app.flows.console import operate
from funnel_app.ledger.operator_actions import COMMAND_LINE

LONGEST_NAME = 60


def who() -> str:
    """Return the machine's user name, before any sudo; root in a container without named users."""
    try:
        return (os.environ.get("SUDO_USER") or getpass.getuser())[:LONGEST_NAME]
    except (KeyError, OSError):
        return "root"


def note(action: str, detail: str, **whom: Any) -> None:
    """Log what a command did, and to whom (`contact_id`, `email_id`)."""
    contact_id = whom.pop("contact_id", None)
    operate.note(current_deps(), who(), action, contact_id, detail, source=COMMAND_LINE, **whom)
