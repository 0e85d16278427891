"""Scheduler process: moves due jobs to the queue just after each second, and sweeps every five."""

import signal
import time
from threading import Event

import structlog

from funnel_app.faults import report
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.probes.clock_guard import ClockGuard
from funnel_app.flows.monitoring.status.ready import SCHEDULER
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.job_clock import Clock
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.database.troubles import explain
from funnel_app.periodic import PeriodicRunner
from jobs.command_line import take_nothing
from jobs.first_step import start
from jobs.heartbeat import record_heartbeat
from jobs.nightly import NightlyBackup
from jobs.process import deps, wait_for_ledger, wait_for_redis
from jobs.seldom import Seldom
from jobs.stop import Stop
from jobs.template_watch import TemplateWatch
from jobs.watch import list_tasks, outbox_tasks, reply_tasks, watch_tasks, wish_tasks

SWEEP_EVERY_S = 5.0
HEARTBEAT_S = 30
# A running task may be waiting for a chat; leaving it is safe, since notifications are leased.
TASK_ENDS_WITHIN_S = 1.0

log = structlog.get_logger()


class SchedulerProcess:
    """One scheduler: it works while it owns the lock, and waits for unavailable parts instead of exiting."""

    def __init__(self, stopping: Event) -> None:
        self.stopping = stopping
        self.clock = Clock(connection=deps().queues.connection)
        self.guard = ClockGuard()
        settings = deps().settings
        found = (watch_tasks(settings), outbox_tasks(settings), reply_tasks(), list_tasks(), wish_tasks(settings))
        tasks = filter(None, found)
        self.runners = [PeriodicRunner(deps, each, stopping) for each in tasks]
        self.templates = TemplateWatch(deps)
        self.swept_at = float("-inf")
        self.backup = NightlyBackup()
        self.ledger_away = Seldom()

    def run(self) -> None:
        """Work until stopped; then release the lock."""
        for runner in self.runners:
            runner.start()
        while not self.stopping.is_set():
            record_heartbeat(SCHEDULER)
            try:
                self.step()
            except Unavailable as fault:
                log.warning("redis_unavailable", error=str(fault))
                wait_for_redis(self.stopping, SCHEDULER)
            except LedgerUnavailable as fault:
                if self.ledger_away.is_due():
                    log.warning("database_unavailable", error=explain(fault))
            self.stopping.wait(self.clock.seconds_to_next(time.time()))
        self._release_lock()
        self.backup.stop()
        for runner in self.runners:
            runner.join(TASK_ENDS_WITHIN_S)

    def step(self) -> None:
        """One second's work, done only by the lock's owner."""
        is_leader = self.clock.own()
        for runner in self.runners:
            runner.is_leader = is_leader
        if not is_leader:
            return
        deps().queues.send_heartbeat(SCHEDULER, HEARTBEAT_S)
        if self.guard.steady(deps()):
            self.clock.tick(deps().now().timestamp())
        # A Redis that lost everything is refilled at once: jobs become due meanwhile.
        if time.monotonic() - self.swept_at >= SWEEP_EVERY_S or not deps().queues.marked():
            self.swept_at = time.monotonic()
            self._sweep()
            self.backup.step(deps())
        self.templates.look()

    def _sweep(self) -> None:
        try:
            sweep(deps())
        except (Unavailable, *LedgerUnavailable):
            raise
        except Exception as fault:
            # One unexpected row must not stop the clock for all others: it is reported, and emails left behind are
            # counted as overdue.
            log.error("sweep_failed", exc_info=fault)
            report(fault)

    def _release_lock(self) -> None:
        # A Redis that hangs would be waited for until this process is killed; the lock ends by itself in seconds.
        if fault := deps().queues.why_away():
            log.warning("lock_not_released", error=str(fault))
            return
        try:
            self.clock.release()
        except Unavailable as fault:
            log.warning("lock_not_released", error=str(fault))


def main() -> None:
    """Run the scheduler in a process of its own."""
    start()
    run()


def run() -> None:
    """Run the scheduler until SIGTERM or SIGINT."""
    stopping = Stop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stopping.set())
    wait_for_ledger(stopping, SCHEDULER)
    wait_for_redis(stopping, SCHEDULER)
    log.info("scheduler_started")
    SchedulerProcess(stopping).run()


if __name__ == "__main__":
    take_nothing(__doc__)
    main()
