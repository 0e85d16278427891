"""The job that keeps the owner's tables in Notion up to date."""

from funnel_app.flows.mirror import mirror
from jobs.process import deps


def write_mirror(turn: str) -> None:
    """Write some of what is behind, and queue the next turn where more is left."""
    mirror.mirror(deps(), turn)
