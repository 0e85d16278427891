"""The job that looks again at held emails."""

from funnel_app.flows.sending import recheck
from jobs.process import deps


def recheck_held() -> int:
    """Release the held emails whose letter can be made now."""
    return recheck.recheck_held(deps())
