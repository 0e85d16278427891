"""The watch over the templates: every 45 seconds, in a thread of the scheduler process, so that no email waits for it.

It is no job: a job could vanish, and would keep a worker from sending while Notion is slow.
"""

import time
from collections.abc import Callable
from threading import Thread

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.texts import watch_texts
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.engine import LedgerUnavailable

# Seen twice, and told, within two minutes of the mistake.
CHECK_EVERY_S = 45.0

log = structlog.get_logger()


class TemplateWatch:
    """Says in the log once when a template breaks, and once when it is fixed."""

    def __init__(self, deps: Callable[[], Deps]) -> None:
        self._deps = deps
        self._begun_at = float("-inf")
        self._thread: Thread | None = None
        self._broken: dict[str, str] = {}

    def look(self) -> None:
        """Begin a check where the last one is 45 seconds old and has ended; return at once."""
        if time.monotonic() - self._begun_at < CHECK_EVERY_S or (self._thread and self._thread.is_alive()):
            return
        self._begun_at = time.monotonic()
        self._thread = Thread(target=self.check, name="template-watch", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Read all templates and say what has changed; a Notion or ledger that is away is said too."""
        try:
            broken = dict(watch_texts(self._deps()))
        except (GatewayError, *LedgerUnavailable) as fault:
            log.warning("templates_not_checked", error=str(fault))
            return
        for key, reason in broken.items():
            if self._broken.get(key) != reason:
                log.warning("template_broken", template=key, reason=reason)
        for key in self._broken.keys() - broken.keys():
            log.info("template_fixed", template=key)
        self._broken = broken
