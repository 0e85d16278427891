"""Names of what operators act on, for the log of what they did: by time and kind, without ids."""

from uuid import UUID

from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.local_time import dated
from funnel_app.ledger import hook_events, outgoing_events, received_emails
from funnel_app.ledger.models import HookEvent

GONE = "that is not kept any more"


def call_named(settings: Settings, call: HookEvent) -> str:
    """Return a call by its time and its hook."""
    return f"the call of {dated(settings, call.received_at)} to {call.campaign}/{call.hook}"


def name_call(deps: Deps, hook_id: UUID) -> str:
    """Return the call with this id by its time and its hook."""
    with deps.reads() as session:
        call = hook_events.find(session, hook_id)
    return call_named(deps.settings, call) if call else f"a call {GONE}"


def name_event(deps: Deps, event_id: UUID) -> str:
    """Return an event for a receiver by its kind and its time."""
    with deps.reads() as session:
        event = outgoing_events.find(session, event_id)
    return f"{event.kind} of {dated(deps.settings, event.at)}" if event else f"an event {GONE}"


def name_reply(deps: Deps, received_id: UUID) -> tuple[str, UUID | None]:
    """Return what came from somebody by its time, and the lead who wrote it if known."""
    with deps.reads() as session:
        row = received_emails.find(session, received_id)
    if row is None:
        return f"a reply {GONE}", None
    return f"the reply of {dated(deps.settings, row.received_at)}", row.contact_id
