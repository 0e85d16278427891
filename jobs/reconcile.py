"""The job that asks Resend what became of emails without proof."""

from funnel_app.flows.sending import reconcile
from jobs.process import deps


def ask_resend() -> int:
    """Ask after the emails of which no event has come."""
    return reconcile.reconcile(deps())
