"""Tell: say in the chats what is to be said, together and not too often; no transaction is open meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from funnel_app.deps import Deps
from funnel_app.flows.critical import CHANNEL as LEADS
from funnel_app.flows.incidents import CHANNEL as ALERTS
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import notices
from funnel_app.ledger.watch_models import Notice

LEASE = timedelta(seconds=30)
MOST_TOGETHER = 20
# Whatever happens, a chat gets no more than this; the rest waits and comes together.
MOST_AN_HOUR = 12
AGAIN_AFTER = timedelta(seconds=20)
AGAIN_AFTER_AT_MOST = timedelta(minutes=10)

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
    error = _post(deps, url, waiting) if url else None
    ids = [notice.id for notice in waiting]
    with deps.sessions.begin() as session:
        if error is None:
            notices.mark_sent(session, ids, deps.now(), forget=channel == LEADS)
        else:
            notices.postpone(session, ids, now + _wait(waiting), error)
    return len(ids) if error is None else 0


def _post(deps: Deps, url: str, waiting: Iterable[Notice]) -> str | None:
    """Return why it could not be said; None where it was."""
    host = urlsplit(deps.settings.public_url).netloc
    text = "\n".join([f"Funnel at {host}", *(notice.text for notice in waiting)])
    try:
        deps.alerts.post(url, text)
    except GatewayError as error:
        log.error("notice_not_told", error=str(error))
        return str(error)
    return None


def _wait(waiting: Iterable[Notice]) -> timedelta:
    tries = max(notice.attempts for notice in waiting)
    return min(AGAIN_AFTER * (1 << min(tries - 1, 10)), AGAIN_AFTER_AT_MOST)


def failing_since(deps: Deps) -> tuple[datetime, str] | None:
    """Return since when a notice could not be said, and why; None where everything is said."""
    with deps.reads() as session:
        notice = notices.oldest_failing(session)
    return (notice.created_at, notice.last_error or "") if notice else None
