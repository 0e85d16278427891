"""Ledger alarm: the one incident that cannot be stored in the ledger, so this process remembers it."""

from datetime import datetime

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.flows.monitoring.alerts.alert_words import OVER, began
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.notifications.notify import message
from funnel_app.gateways.errors import GatewayError
from funnel_app.redact import redactor

KIND = "ledger_away"

log = structlog.get_logger()


class LedgerAlarm:
    """Reports once that the ledger is away, and once that it is back."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._notified = False

    def away(self, deps: Deps, error: str) -> None:
        """Record that the ledger could not be used; report it if that lasts."""
        now = deps.now()
        self._since = self._since or now
        if not self._notified and now - self._since >= ALARMS[KIND].patience:
            words = redactor(deps.settings)(error.splitlines()[0])
            self._notified = _say(deps, began(deps.settings, KIND, ALARMS[KIND].title, words))

    def back(self, deps: Deps) -> bool:
        """Record that the ledger could be used; False while that is still to be reported."""
        if self._notified and not _say(deps, f"{OVER}{ALARMS[KIND].title}"):
            return False
        self._since, self._notified = None, False
        return True


def _say(deps: Deps, text: str) -> bool:
    url = deps.settings.alert_webhook_url
    if url is None:
        return True
    try:
        deps.alerts.post(url, message(deps.settings, current_headline(deps), [text]))
    except GatewayError as error:
        log.error("notification_failed", error=str(error))
        return False
    return True
