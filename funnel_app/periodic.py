"""Periodic tasks: flows that a process runs beside its work, in a thread, so that no email waits for them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

import structlog

from funnel_app.deps import Deps
from funnel_app.faults import report
from funnel_app.flows.monitoring.notifications.ledger_alarm import LedgerAlarm
from funnel_app.flows.monitoring.probes.clock_guard import end_doubt, follow_or_ask
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.database.troubles import explain

log = structlog.get_logger()

LOOK_EVERY_S = 0.5
AGAIN_AFTER_S = 5.0
TIME_ASKED_EVERY_S = 300.0
# The scheduler of this machine asks at its start. A call costs each process that makes it 3 MB.
TIME_FIRST_ASKED_AFTER_S = 3.0


@dataclass
class PeriodicTask:
    """One flow, how often it runs, and when it is next due; one that returns False runs again soon."""

    every_s: float
    flow: Callable[[Deps], object]
    next_at: float = float("-inf")


def time_tasks() -> list[PeriodicTask]:
    """Return the tasks that compare the machine's clock with an outside one, which one process of it may do for all."""
    first_at = time.monotonic() + TIME_FIRST_ASKED_AFTER_S
    return [PeriodicTask(TIME_ASKED_EVERY_S, follow_or_ask, first_at), PeriodicTask(AGAIN_AFTER_S, end_doubt)]


class PeriodicRunner(Thread):
    """Runs each task when it is due while this process is the leader; failures are logged and retried."""

    def __init__(self, deps: Callable[[], Deps], tasks: Sequence[PeriodicTask], stopping: Event) -> None:
        super().__init__(name="tasks", daemon=True)
        self.is_leader = True
        self._deps = deps
        self._tasks = tasks
        self._stopping = stopping
        self._ledger = LedgerAlarm()
        self._without_ledger: set[str] = set()

    def run(self) -> None:
        """Run the tasks that are due until the process stops."""
        while not self._stopping.wait(LOOK_EVERY_S):
            if self.is_leader:
                self.go()

    def go(self) -> None:
        """Run every task that is due."""
        for each in self._tasks:
            if time.monotonic() >= each.next_at:
                done = self._call(each.flow)
                each.next_at = time.monotonic() + (min(each.every_s, AGAIN_AFTER_S) if done is False else each.every_s)

    def _call(self, flow: Callable[[Deps], object]) -> object:
        deps = self._deps()
        try:
            done = flow(deps)
        except LedgerUnavailable as error:
            log.warning("periodic_task_skipped", flow=flow.__name__, error=explain(error))
            self._without_ledger.add(flow.__name__)
            self._ledger.away(deps, explain(error))
        except GatewayError as error:
            log.warning("periodic_task_failed", flow=flow.__name__, error=str(error))
        except Exception as fault:
            # The edge of this thread: otherwise one error would silently end all monitoring.
            log.error("periodic_task_crashed", flow=flow.__name__, exc_info=fault)
            report(fault)
        else:
            # Only a flow that uses the ledger shows that it is back.
            if flow.__name__ in self._without_ledger and self._ledger.back(deps):
                self._without_ledger.clear()
            return done
        return None
