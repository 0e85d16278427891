"""Hook pages: received calls page by page, for the console."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.flows.intake.received_calls import as_row
from funnel_app.ledger import hook_events

PAGE = 50


@dataclass(frozen=True)
class HookPage:
    """One page of calls, and the cursor of the next; None on the last page."""

    rows: list[dict[str, Any]]
    next: UUID | None


def find_hooks(
    reads: sessionmaker[Session],
    outcome: str | None,
    after: UUID | None,
    limit: int = PAGE,
    *,
    lists: bool | None = None,
) -> HookPage:
    """Return a page of calls, newest first, of one outcome or all; with, without, or only rows of lists."""
    with reads() as session:
        found = hook_events.newest(session, outcome, limit + 1, after, lists=lists)
    shown = found[:limit]
    return HookPage([as_row(event) for event in shown], shown[-1].id if len(found) > limit else None)
