"""The jobs of the queue: each is one call of a flow."""

from uuid import UUID

from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.flows.sending.submit import repeat
from jobs.process import deps


def deliver_email(email_id: str) -> str:
    """Send one email if it is due and still wanted; with a backlog, others that are due go with it."""
    return deliver_due(deps(), UUID(email_id)).value


def repeat_request(request_id: str) -> None:
    """Repeat a call to Resend whose outcome is unknown."""
    repeat(deps(), UUID(request_id))
