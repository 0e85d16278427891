"""Tell: say in the chats what is to be said, together and not too often; no transaction is open meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alert_words import together
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.hot_leads import CHANNEL as LEADS
from funnel_app.flows.monitoring.incidents import CHANNEL as ALERTS
from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.ledger import notices
from funnel_app.ledger.watch_models import Notice
from funnel_app.redact import redactor

LEASE = timedelta(seconds=30)
MOST_TOGETHER = 20
# Whatever happens, a chat gets no more than this; the rest waits and comes together.
MOST_AN_HOUR = 12
AGAIN_AFTER = timedelta(seconds=20)
AGAIN_AFTER_AT_MOST = timedelta(minutes=10)
# Only a person mends an address that is refused; it is tried on, since nobody tells us that one did.
REFUSED_AGAIN_AFTER = timedelta(hours=1)
REFUSED = "refused: "
SETTINGS = {ALERTS: "ALERT_WEBHOOK_URL", LEADS: "LEADS_WEBHOOK_URL"}

log = structlog.get_logger()


def tell(deps: Deps) -> int:
    """Say what waits in each chat that has an address; return how many notices were said.

    A notice is held under a lease while it is said, so that two processes say it once; a crash in between says it
    again rather than never.
    """
    settings = deps.settings
    return _tell(deps, ALERTS, settings.alert_webhook_url) + _tell(deps, LEADS, settings.leads_webhook_url)


def _tell(deps: Deps, channel: str, url: str | None) -> int:
    now = deps.now()
    with deps.reads() as session:
        if url and notices.count_posts_since(session, channel, now - timedelta(hours=1)) >= MOST_AN_HOUR:
            return 0
    with deps.sessions.begin() as session:
        waiting = notices.take(session, channel, now, LEASE, MOST_TOGETHER)
    if not waiting:
        return 0
    error = _post(deps, url, _together(deps, channel, waiting)) if url else None
    ids = [notice.id for notice in waiting]
    with deps.sessions.begin() as session:
        if error is None:
            notices.mark_sent(session, ids, deps.now(), forget=channel == LEADS)
            # Later than any lease: what is in another process's hands stays there.
            notices.hurry(session, channel, deps.now() + LEASE)
        else:
            notices.postpone(session, ids, now + _wait(waiting, error), error)
    return len(ids) if error is None else 0


def _post(deps: Deps, url: str, text: str) -> str | None:
    """Return why it could not be said; None where it was."""
    try:
        deps.alerts.post(url, text)
    except GatewayError as error:
        log.error("notification_failed", error=str(error))
        return f"{REFUSED if isinstance(error, Rejected) else ''}{error}"
    return None


def _together(deps: Deps, channel: str, waiting: Iterable[Notice]) -> str:
    first = opening(deps) if channel == ALERTS else f"Funnel at {_host(deps)}"
    return together(first, [notice.text for notice in waiting])


def opening(deps: Deps) -> str:
    """Return the first line of every alert: which Funnel it is, and how it stands at this moment."""
    return f"Funnel at {_host(deps)}: {redactor(deps.settings)(current_headline(deps).sentence)}"


def _host(deps: Deps) -> str:
    return urlsplit(deps.settings.public_url).netloc


def _wait(waiting: Iterable[Notice], error: str) -> timedelta:
    at_most = REFUSED_AGAIN_AFTER if error.startswith(REFUSED) else AGAIN_AFTER_AT_MOST
    tries = max(notice.attempts for notice in waiting)
    return min(AGAIN_AFTER * (1 << min(tries - 1, 10)), at_most)


@dataclass(frozen=True)
class UndeliveredNotifications:
    """What could not be said in a chat: by which setting, how much, since when and why; and whether it is refused."""

    setting: str
    number: int
    since: datetime
    error: str
    refused: bool


def undelivered_notifications(deps: Deps) -> list[UndeliveredNotifications]:
    """Return what could not be said so far, a chat each; nothing where everything is said."""
    with deps.reads() as session:
        found = {channel: notices.failing(session, channel) for channel in SETTINGS}
    return [_undelivered(SETTINGS[channel], waiting) for channel, waiting in found.items() if waiting]


def _undelivered(setting: str, waiting: Sequence[Notice]) -> UndeliveredNotifications:
    error = waiting[-1].last_error or ""
    refused = error.startswith(REFUSED)
    return UndeliveredNotifications(setting, len(waiting), waiting[0].created_at, error.removeprefix(REFUSED), refused)
