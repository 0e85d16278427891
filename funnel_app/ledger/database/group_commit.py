"""Group commit: writers waiting for the same turn share one transaction, with one sync."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError

from funnel_app.ledger.database.crowd import Crowd

Job = TypeVar("Job")
Result = TypeVar("Result")
MOST = 64
Outcomes = Sequence[Result | Exception]
Work = Callable[[Callable[[], Sequence[Job]]], Outcomes[Result]]


def _nothing(outcomes: Sequence[object]) -> None:
    """Leave it at the results."""


class _Waiter(Generic[Job, Result]):
    """One caller: its work, and the result."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.woken = Event()
        self.outcome: Result | Exception | None = None


class GroupCommit(Generic[Job, Result]):
    """Callers of one process whose work may share a transaction: one of them executes it for all waiting.

    Each returns only when its work is committed, or raises its own error.
    """

    def __init__(self, crowd: Crowd | None = None) -> None:
        self._crowd = crowd or Crowd()
        self._lock = Lock()
        self._line: deque[_Waiter[Job, Result]] = deque()
        self._led = False

    def run(self, job: Job, work: Work[Job, Result], then: Callable[[Outcomes[Result]], None] = _nothing) -> Result:
        """Execute a job, together with others, and return its result; raises its own error.

        `work` takes the jobs, and may take those that came since, executes and commits them, and returns a result for
        each that it took. It may be called again for a single job: if all fail together, each is tried by itself,
        unless the ledger is away. `then` gets the results of all once the others have theirs and the next group may
        begin: what nobody else has to wait for.
        """
        mine: _Waiter[Job, Result] = _Waiter(job)
        self._crowd.stand_in_line()
        with self._lock:
            self._line.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.woken.wait()
        if mine.outcome is None:
            then(self._lead(work))
        return _result(mine.outcome)

    def _lead(self, work: Work[Job, Result]) -> Outcomes[Result]:
        group: list[_Waiter[Job, Result]] = []
        outcomes: Outcomes[Result] = ()
        try:
            self._crowd.gather()
            outcomes = work(lambda: [each.job for each in self._gather(group)])
        except OperationalError as error:
            # A ledger that is away is so for everybody: tried one by one, each would wait for it once more.
            outcomes = [error] * len(self._gather(group))
        except Exception as error:  # noqa: BLE001 (each caller raises its own)
            alone = len(group) > 1
            outcomes = [_alone(each.job, work) if alone else error for each in group or self._gather(group)]
        finally:
            # If this thread is being stopped, the others must not wait for it.
            lost = [RuntimeError("Who led this group was ended.")] * len(group)
            self._finish(group, outcomes if len(outcomes) == len(group) else lost)
        return outcomes

    def _gather(self, group: list[_Waiter[Job, Result]]) -> list[_Waiter[Job, Result]]:
        with self._lock:
            while self._line and len(group) < MOST:
                group.append(self._line.popleft())
        return group

    def _finish(self, group: Sequence[_Waiter[Job, Result]], outcomes: Outcomes[Result]) -> None:
        self._crowd.be_served(len(group))
        for each, outcome in zip(group, outcomes, strict=True):
            each.outcome = outcome
        with self._lock:
            successor = self._line[0] if self._line else None
            self._led = successor is not None
        for each in group:
            each.woken.set()
        if successor is not None:
            successor.woken.set()


def _alone(job: Job, work: Work[Job, Result]) -> Result | Exception:
    try:
        return work(lambda: [job])[0]
    except Exception as error:  # noqa: BLE001 (its caller raises it)
        return error


def _result(outcome: Result | Exception | None) -> Result:
    if isinstance(outcome, Exception):
        raise outcome
    if outcome is None:
        raise RuntimeError("A group was committed without this caller's work.")
    return outcome
