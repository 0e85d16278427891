"""Enrol: turn authenticated calls into a contact, an enrolment and all its emails, in one transaction.

One read, pure rules over what was read (`rules/`), one write of the differences.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.answer import Answered, log_answer
from funnel_app.flows.intake.meaning import Calls, Group, Meaning, Outcome, work_out
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.receipt import Receipt
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.database.turns import take_turns
from funnel_app.ledger.emails import Due
from funnel_app.ledger.writing import Differences
from funnel_app.rules.calls.call import Call
from funnel_app.rules.facts import EnrolmentFacts

Ready = tuple[Meaning, Differences]
Require = Callable[[Session], None]


def enrol(deps: Deps, *calls: Call) -> Receipt:
    """Start and end what these calls start and end, schedule the emails, and return the last call's receipt.

    When it returns, everything is committed. Safe to repeat: a second call updates the contact and starts nothing.
    Raises TooManyEnrolments, and KeyReused for an idempotency key that was used with another payload within a day.
    """
    outcome = _commit(deps, calls)
    if isinstance(outcome, Exception):
        raise outcome
    if isinstance(outcome, Receipt):
        return outcome
    for each in outcome:
        log_answer(each)
    return _receipt(outcome)


def enrol_each(deps: Deps, calls: Sequence[Call], require: Require | None = None) -> list[Receipt | Exception]:
    """Process independent calls in one transaction; return each one's receipt, or its error.

    Safe to repeat if each call has an idempotency key of its own. Nothing is logged, since there are many. `require`
    looks at the ledger once more when all these people are locked; if it raises, nothing is kept.
    """
    outcomes = _commit_all(deps, lambda: [(call,) for call in calls], require)
    _schedule(deps, outcomes)
    return [_receipt(outcome) if isinstance(outcome, list) else outcome for outcome in outcomes]


def foresee_each(deps: Deps, calls: Sequence[Call]) -> list[Receipt | Exception]:
    """Return what `enrol_each` would return now; nothing is written."""
    with deps.engine.connect() as connection, connection.begin() as transaction:
        outcomes = work_out(deps, connection, [(call,) for call in calls]).outcomes
        transaction.rollback()
    return [_receipt(outcome) if isinstance(outcome, list) else outcome for outcome in outcomes]


def _schedule(deps: Deps, outcomes: Sequence[Outcome]) -> None:
    """Put on the clock what these calls planned, all at once."""
    answered = [each for outcome in outcomes if isinstance(outcome, list) for each in outcome]
    schedule(deps, [due for enrolment in _touched(answered) for due in _to_schedule(enrolment)])


def _receipt(answered: Sequence[Answered]) -> Receipt:
    if len(answered) == 1:
        return answered[0].receipt
    own = [each.receipt for each in answered if not each.follows]
    return replace(own[-1], ended=[ended for each in answered for ended in each.receipt.ended])


def _commit(deps: Deps, calls: Calls) -> Outcome:
    """Commit a caller's calls, where writers queue with those of others, and schedule what was planned.

    Whoever commits for others schedules for them too, but lets them and the next group go first: the clock is an
    optimisation, which the sweep repeats.
    """
    if take_turns(deps.engine):
        together: Outcome = deps.intake.run(calls, partial(_commit_all, deps), partial(_schedule, deps))
        return together
    outcomes = _commit_all(deps, lambda: [calls])
    _schedule(deps, outcomes)
    return outcomes[0]


@retry_on_conflict
def _commit_all(deps: Deps, gather: Callable[[], Group], require: Require | None = None) -> Sequence[Outcome]:
    """Commit the calls of one or several callers in one transaction; one caller's error costs the others nothing.

    What they mean is worked out before the turn to write, and once more in it if what it was worked out from has
    changed by then. Who comes while they wait for the turn joins.
    """
    with deps.engine.connect() as connection:
        group = gather()
        foreseen = _foreseen(deps, connection, group)
        with connection.begin():
            outcomes = _written(deps, connection, group, foreseen)
            if require is not None:
                # Only now: to insert a new person waits for whoever is erasing the same address.
                require(Session(connection))
            late = gather()[len(group) :]
            return [*outcomes, *(_written(deps, connection, late) if late else ())]


def _written(deps: Deps, connection: Connection, group: Group, foreseen: Ready | None = None) -> Sequence[Outcome]:
    """Write what the calls mean: what was foreseen, if the ledger still says of their people what it said then."""
    holds = foreseen is not None and foreseen[0].holds(connection, deps.now())
    meaning, changes = foreseen if foreseen and holds else _ready(deps, connection, group)
    changes.write(connection)
    return meaning.outcomes


def _foreseen(deps: Deps, connection: Connection, group: Group) -> Ready | None:
    """Return what these calls mean as the ledger is now, before a transaction; None where only one can tell.

    That is so where nobody queues to write, and where a key may be locked or forgotten.
    """
    if not take_turns(deps.engine) or any(call.idempotency_key for calls in group for call in calls):
        return None
    return _ready(deps, connection, group)


def _ready(deps: Deps, connection: Connection, group: Group) -> Ready:
    meaning = work_out(deps, connection, group)
    return meaning, meaning.changes(connection)


def _touched(answered: Sequence[Answered]) -> list[EnrolmentFacts]:
    """Return the enrolments that calls are about, and the others that they changed, in their final state."""
    about = [each.enrolment for each in answered if each.enrolment]
    changed = [change.now for each in answered for change in each.changes]
    return list({enrolment.id: enrolment for enrolment in [*about, *changed]}.values())


def _to_schedule(enrolment: EnrolmentFacts) -> list[Due]:
    return [Due(e.id, e.due_at, enrolment.kind) for e in enrolment.emails if e.state == State.PLANNED]
