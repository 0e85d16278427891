"""Litestream's process, if `REPLICA_URL` is set; its failures never end the container."""

import os
import signal
import subprocess
from functools import partial
from threading import Event

import structlog

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.litestream import Replica
from jobs.parent import dies_with
from jobs.process import deps
from jobs.stop import Stop

AGAIN_AFTER_S = 10.0
LOOK_EVERY_S = 0.5
STOPS_WITHIN_S = 6.0

log = structlog.get_logger()


def run() -> None:
    """Replicate until stopped; restart after ten seconds if it exits."""
    stopping = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    # The copy is as secret as the ledger.
    os.umask(0o077)
    replica = deps().replica
    while replica is not None and not stopping.is_set():
        try:
            _replicate(replica, stopping)
        except (Rejected, OSError) as fault:
            log.error("replica_not_started", error=str(fault))
        stopping.wait(AGAIN_AFTER_S)


def _replicate(replica: Replica, stopping: Event) -> None:
    dying_with_us = partial(dies_with, os.getpid())
    # Safe here: this process has no other thread.
    child = subprocess.Popen(replica.command(), preexec_fn=dying_with_us, stdout=subprocess.DEVNULL)  # noqa: PLW1509
    log.info("replica_started", url=replica.url, pid=child.pid)
    while child.poll() is None and not stopping.wait(LOOK_EVERY_S):
        pass
    if child.poll() is None:
        child.terminate()
        child.wait(STOPS_WITHIN_S)
    else:
        log.error("replica_ended", code=child.returncode, hint="its last words are above")
