"""Notify: post pending notifications to the chats, grouped and rate-limited; no transaction is open meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from textwrap import shorten
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alert_words import BEGAN, without_link
from funnel_app.flows.monitoring.alerts.incidents import CHANNEL as ALERTS
from funnel_app.flows.monitoring.headline import Headline, Standing, current_headline
from funnel_app.flows.monitoring.notifications.critical_leads import CHANNEL as LEADS
from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.gateways.http.chat import Alerts
from funnel_app.ledger import notices
from funnel_app.ledger.models.watch import Notice
from funnel_app.redact import redactor

LEASE = timedelta(seconds=30)
MOST_TOGETHER = 20
# The most messages a chat gets; the rest wait and are grouped.
MOST_AN_HOUR = 12
AGAIN_AFTER = timedelta(seconds=20)
AGAIN_AFTER_AT_MOST = timedelta(minutes=10)
# A refused address needs a person to fix it; it is retried, since nobody tells us when that is done.
REFUSED_AGAIN_AFTER = timedelta(hours=1)
# Discord truncates at 2,000 characters, and what is cut off would count as delivered.
LONGEST_TOGETHER, LONGEST_OPENING = 1_600, 300
# Responses about the message and not the address: bad request, too large, unprocessable.
OF_THE_WORDS = frozenset({"400", "413", "422"})
INSTEAD = "Something is to be told in words that this chat refuses: read it at {url}/console/"
SETTINGS = {ALERTS: "ALERT_WEBHOOK_URL", LEADS: "LEADS_WEBHOOK_URL"}

log = structlog.get_logger()


def notify(deps: Deps) -> int:
    """Post the pending notifications of each configured chat; return how many went.

    Notifications are leased, so that two processes post them once; after a crash they are posted again rather than
    never.
    """
    settings = deps.settings
    return _notify(deps, ALERTS, settings.alert_webhook_url) + _notify(deps, LEADS, settings.leads_webhook_url)


def _notify(deps: Deps, channel: str, url: str | None) -> int:
    now = deps.now()
    with deps.reads() as session:
        # Every process looks often, and mostly nothing is to be told: that takes no turn to write.
        if not notices.any_due(session, channel, now):
            return 0
        if url and notices.count_posts_since(session, channel, now - timedelta(hours=1)) >= MOST_AN_HOUR:
            return 0
    with deps.sessions.begin() as session:
        waiting = notices.take(session, channel, now, LEASE, MOST_TOGETHER)
    if not waiting:
        return 0
    fitting = _fitting(waiting)
    headline = current_headline(deps) if url and channel == ALERTS else None
    posting = _Posting(deps, url or "", headline, waiting, now + LEASE)
    errors = posting.say(fitting) if url else dict.fromkeys((notice.id for notice in waiting), None)
    said = [id_ for id_, error in errors.items() if error is None]
    with deps.sessions.begin() as session:
        notices.put_back(session, [notice.id for notice in posting.held if notice.id not in errors], posting.until)
        notices.mark_sent(session, said, deps.now(), forget=channel == LEADS)
        if said:
            # Beyond any lease: what another process holds stays with it.
            notices.hurry(session, channel, deps.now() + LEASE)
        for notice in fitting:
            if error := errors.get(notice.id):
                refused = isinstance(error, Rejected)
                notices.postpone(session, notice.id, now + _wait(notice, refused=refused), str(error), refused=refused)
    return len(said)


def _fitting(waiting: Sequence[Notice]) -> Sequence[Notice]:
    """Return as many of the first ones as fit in one message; the others go in the next."""
    ends = accumulate(len(notice.text) + 1 for notice in waiting)
    return waiting[: max(1, sum(end <= LONGEST_TOGETHER for end in ends))]


@dataclass
class _Posting:
    """The posts of what one lease holds. It begins again before each, so that a slow chat does not outlast it."""

    deps: Deps
    url: str
    headline: Headline | None
    held: Sequence[Notice]
    until: datetime

    def say(self, waiting: Sequence[Notice]) -> dict[UUID, GatewayError | None]:
        """Return for each why it could not be posted; None if it was. What is not ours any more is left out.

        A notification refused for its text holds up no other: it is found by bisection, and reported in our own words.
        """
        ours = self._renew(waiting)
        if not ours:
            return {}
        fault = self._post(notice.text for notice in ours)
        if isinstance(fault, Rejected) and fault.code in OF_THE_WORDS:
            if len(ours) > 1:
                half = len(ours) // 2
                return self.say(ours[:half]) | self.say(ours[half:])
            fault = self._post([INSTEAD.format(url=self.deps.settings.public_url)])
        return dict.fromkeys((notice.id for notice in ours), fault)

    def _renew(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        with self.deps.sessions.begin() as session:
            # Takes the turn: the lease counts from when it is there.
            session.connection()
            until = self.deps.now() + LEASE
            ours = notices.renew(session, [notice.id for notice in self.held], self.until, until)
        self.held, self.until = [notice for notice in self.held if notice.id in ours], until
        return [notice for notice in waiting if notice.id in ours]

    def _post(self, texts: Iterable[str]) -> GatewayError | None:
        return _post(self.deps.alerts, self.url, message(self.deps.settings, self.headline, list(texts)))


def _post(alerts: Alerts, url: str, text: str) -> GatewayError | None:
    """Return why posting failed; None if it did not."""
    try:
        alerts.post(url, text)
    except GatewayError as error:
        log.error("notification_failed", error=str(error))
        return error
    return None


def message(settings: Settings, headline: Headline | None, texts: Sequence[str]) -> str:
    """Return a message: which Funnel it is, its headline if one is given, and the texts; no words stand there twice.

    What the headline names comes first, and is said in one place: a stop in the headline, a need in its own text.
    """
    host = f"Funnel at {urlsplit(settings.public_url).netloc}"
    if headline is None:
        return "\n".join([host, *texts])
    stopped, redact = headline.state is Standing.STOPPED, redactor(settings)
    named = redact(headline.named)
    first = [text for text in texts if text.startswith(BEGAN) and named and named == _told(text, detail=stopped)]
    others = [text for text in texts if text not in first]
    said = f"{headline.opening}." if first and not stopped else redact(headline.sentence)
    shown = shorten(said, LONGEST_OPENING, placeholder=" …")
    # What is cut here must stay below.
    if shown == said:
        first = [_without_detail(text) for text in first] if stopped else first
        # A digest begins with the headline.
        others = [text.removeprefix(f"{headline.sentence}\n") for text in others]
    return "\n".join([f"{host}: {shown}", *first, *others])


def _told(text: str, *, detail: bool) -> str:
    """Return what an incident's text tells in its first line, or only what stands there after its title."""
    line = without_link(text.partition("\n")[0]).removeprefix(BEGAN).rstrip(".")
    return line.partition(": ")[2] if detail else line


def _without_detail(text: str) -> str:
    line, _, more = text.partition("\n")
    return f"{line.partition(': ')[0]}.\n{more}"


def _wait(notice: Notice, *, refused: bool) -> timedelta:
    at_most = REFUSED_AGAIN_AFTER if refused else AGAIN_AFTER_AT_MOST
    return min(AGAIN_AFTER * (1 << min(notice.attempts - 1, 10)), at_most)


@dataclass(frozen=True)
class UndeliveredNotifications:
    """Notifications a chat has not received: by setting, how many, since when and why, and if it refuses."""

    setting: str
    number: int
    since: datetime
    error: str
    refused: bool


def undelivered_notifications(reads: sessionmaker[Session]) -> list[UndeliveredNotifications]:
    """Return the notifications not received so far, by chat; empty if there are none."""
    with reads() as session:
        found = {channel: notices.failing(session, channel) for channel in SETTINGS}
    return [_undelivered(SETTINGS[channel], waiting) for channel, waiting in found.items() if waiting]


def _undelivered(setting: str, waiting: Sequence[Notice]) -> UndeliveredNotifications:
    last = waiting[-1]
    return UndeliveredNotifications(
        setting, len(waiting), waiting[0].created_at, last.last_error or "", refused=last.refused
    )
