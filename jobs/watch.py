"""What the scheduler process calls again and again beside its work."""

from collections.abc import Sequence

from funnel_app.config import Settings
from funnel_app.flows.console.wishes import grant_wishes
from funnel_app.flows.intake.settle_refused import settle_refused
from funnel_app.flows.lists.uploads import forget_lists, take_waiting
from funnel_app.flows.monitoring.canary import fly_when_due
from funnel_app.flows.monitoring.clock_guard import compare_with_world, end_doubt, go_on_when_right
from funnel_app.flows.monitoring.digest import digest_when_due
from funnel_app.flows.monitoring.heartbeat import ping
from funnel_app.flows.monitoring.hot_leads import find_critical
from funnel_app.flows.monitoring.incidents import forget_old
from funnel_app.flows.monitoring.ledger_health import WRITTEN_EVERY, check_whole_ledger, shorten_log, write_heartbeat
from funnel_app.flows.monitoring.ledger_identity import remember_ledger
from funnel_app.flows.monitoring.notify import tell
from funnel_app.flows.monitoring.undecided import find_undecided
from funnel_app.flows.monitoring.watch import watch
from funnel_app.flows.monitoring.watch_doctor import look_again, watch_with_doctor
from funnel_app.flows.outbox.history import forget_told
from funnel_app.flows.outbox.tell import tell_receivers
from funnel_app.flows.privacy.erase import finish
from funnel_app.flows.replies.work import answer_received, forget_received
from funnel_app.flows.sending.record_click import forget_who_clicked
from funnel_app.periodic import AGAIN_AFTER_S, Round

MINUTE_S = 60.0
TOLD_EVERY_S = 1.0
LISTS_LOOKED_FOR_EVERY_S = 2.0
# Granted and answered within two minutes.
WISHES_EVERY_S = 45.0
REPLIES_EVERY_S = 2.0


def watch_rounds(settings: Settings) -> Sequence[Round]:
    """Return the rounds of the process that owns the clock's lock: watch, tell, leads, digest, canary, doctor."""
    every_s = settings.watch_every.total_seconds()
    return (
        Round(WRITTEN_EVERY.total_seconds(), write_heartbeat),
        Round(24 * 60 * MINUTE_S, check_whole_ledger),
        Round(10 * MINUTE_S, shorten_log),
        Round(10 * MINUTE_S, remember_ledger),
        Round(every_s, watch),
        Round(5 * MINUTE_S, compare_with_world),
        Round(AGAIN_AFTER_S, end_doubt),
        Round(every_s, go_on_when_right),
        Round(MINUTE_S, ping),
        Round(MINUTE_S, find_critical),
        Round(10 * MINUTE_S, find_undecided),
        Round(MINUTE_S, settle_refused),
        Round(MINUTE_S, digest_when_due),
        Round(MINUTE_S / 2, fly_when_due),
        Round(15 * MINUTE_S, watch_with_doctor),
        Round(every_s, look_again),
        Round(5 * MINUTE_S, finish),
        Round(6 * 60 * MINUTE_S, forget_old),
        Round(6 * 60 * MINUTE_S, forget_told),
        Round(6 * 60 * MINUTE_S, forget_received),
        Round(60 * MINUTE_S, forget_who_clicked),
        Round(every_s, tell),
    )


def wish_rounds(settings: Settings) -> Sequence[Round]:
    """Return what grants wishes of Notion's rows, in a thread of its own, since it waits for Notion."""
    return (Round(WISHES_EVERY_S, grant_wishes),) if settings.notion_wishes_by else ()


def list_rounds() -> Sequence[Round]:
    """Return what takes lists of leads in, in a thread of its own: one takes minutes."""
    return (Round(LISTS_LOOKED_FOR_EVERY_S, take_waiting), Round(60 * MINUTE_S, forget_lists))


def reply_rounds() -> Sequence[Round]:
    """Return what reads and forwards what people write back, in a thread of its own, since it waits for Resend."""
    return (Round(REPLIES_EVERY_S, answer_received),)


def outbox_rounds(settings: Settings) -> Sequence[Round]:
    """Return what tells receivers outside, in a thread of its own: a slow one keeps no watch and no alert waiting."""
    return (Round(TOLD_EVERY_S, tell_receivers),) if settings.events_webhook_urls else ()
