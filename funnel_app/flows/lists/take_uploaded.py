"""Take an uploaded list: a waiting import runs in the background, a part a transaction, until it is done or stopped."""

from funnel_app.deps import Deps
from funnel_app.flows.lists.import_settings import ImportSettings, NotPossible
from funnel_app.flows.lists.take import take_list
from funnel_app.flows.lists.uploads import plan_for
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import imports, operator_actions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.imports import ACTIVE, Import, ImportState
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.lists.files import NotAList

UNFORESEEN = "an error that nobody foresaw; the scheduler's log says more"


def take_waiting(deps: Deps) -> bool | None:
    """Run the oldest waiting import, or one whose process died; False if there was one. Safe to race."""
    kept = _claim(deps)
    if kept is None:
        return None
    try:
        _take(deps, kept)
    except (NotAList, NotPossible) as fault:
        _end(deps, kept, ImportState.FAILED, str(fault))
    except (*LedgerUnavailable, GatewayError):
        raise
    except Exception as fault:
        # Unknown error: later lists must go on, and the caller logs it.
        _put_aside(deps, kept, f"{UNFORESEEN}: {type(fault).__name__}")
        raise
    return False


def _put_aside(deps: Deps, kept: Import, fault: str) -> None:
    """Requeue a failed list behind all others the first time; stop it the second time."""
    with deps.sessions.begin() as session:
        if kept.fault is None:
            imports.turn(session, kept.id, ACTIVE, ImportState.WAITING, fault=fault)
        elif imports.turn(session, kept.id, ACTIVE, ImportState.STOPPED, fault=fault, ended_at=deps.now()):
            told = f"stopped by itself: {fault}"
            row = OperatorAction(at=deps.now(), operator=kept.operator, action="import", detail=told)
            operator_actions.add(session, row)


@retry_on_conflict
def _claim(deps: Deps) -> Import | None:
    with deps.reads() as session:
        if not imports.waits(session, deps.now()):
            return None
    with deps.sessions.begin() as session:
        return imports.claim(session, deps.now())


def _take(deps: Deps, kept: Import) -> None:
    plan, file = plan_for(deps.registry, kept, ImportSettings.from_json(kept.wish or {}))
    for step in take_list(deps, file, plan):
        answers = [[a.number, a.answer, a.reason, str(a.contact_id) if a.contact_id else None] for a in step.answers]
        with deps.sessions.begin() as session:
            if not imports.advance(session, kept, step.rows, answers, deps.now()):
                return
    _end(deps, kept, ImportState.DONE, None)


def _end(deps: Deps, kept: Import, state: ImportState, fault: str | None) -> None:
    with deps.sessions.begin() as session:
        counts = imports.count_answers(session, kept.id)
        said = ", ".join(f"{count:,} {answer}" for answer, count in counts.most_common()) or "no row was taken"
        if imports.turn(session, kept.id, ACTIVE, state, file=None, ended_at=deps.now(), fault=fault):
            told = f"imported: {said}" + (f"; it failed: {fault}" if fault else "")
            row = OperatorAction(at=deps.now(), operator=kept.operator, action="import", detail=told)
            operator_actions.add(session, row)
