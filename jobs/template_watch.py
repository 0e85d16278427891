"""Template watch: reads the templates every 45 seconds, in a thread of the scheduler process.

It is no job: a job could get lost, and would block a worker while Notion is slow.
"""

import time
from collections.abc import Callable
from threading import Thread

import structlog

from funnel_app.deps import Deps
from funnel_app.faults import report
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.database.engine import LedgerUnavailable

# Seen twice, and reported, within two minutes of the mistake.
CHECK_EVERY_S = 45.0

log = structlog.get_logger()


class TemplateWatch:
    """Logs once when a template breaks, and once when it is fixed."""

    def __init__(self, deps: Callable[[], Deps]) -> None:
        self._deps = deps
        self._begun_at = float("-inf")
        self._thread: Thread | None = None
        self._broken: dict[str, str] = {}

    def look(self) -> None:
        """Start a check if the last one is finished and 45 seconds old; return at once."""
        if time.monotonic() - self._begun_at < CHECK_EVERY_S or (self._thread and self._thread.is_alive()):
            return
        self._begun_at = time.monotonic()
        self._thread = Thread(target=self.check, name="template-watch", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Read all templates and log changes; also that Notion or the ledger is away, or that the look itself broke."""
        try:
            broken = dict(watch_texts(self._deps()))
        except (GatewayError, *LedgerUnavailable) as fault:
            log.warning("templates_not_checked", error=str(fault))
            return
        except Exception as fault:
            # The edge of this thread: the next look is 45 seconds away.
            log.error("templates_check_crashed", exc_info=fault)
            report(fault)
            return
        for key, reason in broken.items():
            if self._broken.get(key) != reason:
                log.warning("template_broken", template=key, reason=reason)
        for key in self._broken.keys() - broken.keys():
            log.info("template_fixed", template=key)
        self._broken = broken
