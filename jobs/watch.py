"""The scheduler process's periodic tasks."""

from collections.abc import Sequence

from funnel_app.config import Settings
from funnel_app.flows.console.wishes import grant_wishes
from funnel_app.flows.intake.settle_refused import settle_refused
from funnel_app.flows.lists.take_uploaded import take_waiting
from funnel_app.flows.lists.uploads import forget_lists
from funnel_app.flows.maintenance.left_behind import cancel_left_behind
from funnel_app.flows.monitoring.alerts.incidents import forget_old
from funnel_app.flows.monitoring.notifications.critical_leads import find_critical
from funnel_app.flows.monitoring.notifications.digest import digest_when_due
from funnel_app.flows.monitoring.notifications.heartbeat import ping
from funnel_app.flows.monitoring.notifications.looked_without_booking import notify_of_undecided
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.canary import run_when_due
from funnel_app.flows.monitoring.probes.clock_guard import compare_with_world, end_doubt, go_on_when_right
from funnel_app.flows.monitoring.probes.ledger_identity import remember_ledger
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.monitoring.scheduled_doctor import look_again, watch_with_doctor
from funnel_app.flows.monitoring.status.ledger_health import (
    WRITTEN_EVERY,
    check_whole_ledger,
    shorten_log,
    write_heartbeat,
)
from funnel_app.flows.outbox.history import forget_published
from funnel_app.flows.outbox.publish import publish_events
from funnel_app.flows.privacy.erase import finish
from funnel_app.flows.replies.work import answer_received, forget_received
from funnel_app.flows.sending.record_click import forget_who_clicked
from funnel_app.periodic import AGAIN_AFTER_S, TIME_ASKED_EVERY_S, PeriodicTask

MINUTE_S = 60.0
TOLD_EVERY_S = 1.0
LISTS_LOOKED_FOR_EVERY_S = 2.0
# Wishes are answered within two minutes.
WISHES_EVERY_S = 45.0
REPLIES_EVERY_S = 2.0


def watch_tasks(settings: Settings) -> Sequence[PeriodicTask]:
    """Return the tasks of the clock's owner: watch, notifications, leads, digest, canary, doctor."""
    every_s = settings.watch_every.total_seconds()
    return (
        # First, since the other processes of this machine go by what it learns.
        PeriodicTask(TIME_ASKED_EVERY_S, compare_with_world),
        PeriodicTask(WRITTEN_EVERY.total_seconds(), write_heartbeat),
        PeriodicTask(24 * 60 * MINUTE_S, check_whole_ledger),
        PeriodicTask(10 * MINUTE_S, shorten_log),
        PeriodicTask(10 * MINUTE_S, remember_ledger),
        PeriodicTask(every_s, watch),
        PeriodicTask(AGAIN_AFTER_S, end_doubt),
        PeriodicTask(every_s, go_on_when_right),
        PeriodicTask(MINUTE_S, ping),
        PeriodicTask(MINUTE_S, find_critical),
        PeriodicTask(10 * MINUTE_S, notify_of_undecided),
        PeriodicTask(MINUTE_S, settle_refused),
        PeriodicTask(MINUTE_S, digest_when_due),
        PeriodicTask(MINUTE_S / 2, run_when_due),
        PeriodicTask(15 * MINUTE_S, watch_with_doctor),
        PeriodicTask(every_s, look_again),
        PeriodicTask(5 * MINUTE_S, finish),
        PeriodicTask(6 * 60 * MINUTE_S, forget_old),
        PeriodicTask(6 * 60 * MINUTE_S, forget_published),
        PeriodicTask(6 * 60 * MINUTE_S, forget_received),
        PeriodicTask(60 * MINUTE_S, forget_who_clicked),
        PeriodicTask(60 * MINUTE_S, cancel_left_behind),
        PeriodicTask(every_s, notify),
    )


def wish_tasks(settings: Settings) -> Sequence[PeriodicTask]:
    """Return the task for wishes in Notion, in a thread of its own, since it waits for Notion."""
    return (PeriodicTask(WISHES_EVERY_S, grant_wishes),) if settings.notion_wishes_by else ()


def list_tasks() -> Sequence[PeriodicTask]:
    """Return the task that imports lists, in a thread of its own: one takes minutes."""
    return (PeriodicTask(LISTS_LOOKED_FOR_EVERY_S, take_waiting), PeriodicTask(60 * MINUTE_S, forget_lists))


def reply_tasks() -> Sequence[PeriodicTask]:
    """Return the task that reads and forwards replies, in a thread of its own, since it waits for Resend."""
    return (PeriodicTask(REPLIES_EVERY_S, answer_received),)


def outbox_tasks(settings: Settings) -> Sequence[PeriodicTask]:
    """Return the task that sends lead events, in a thread of its own: a slow receiver delays no alert."""
    return (PeriodicTask(TOLD_EVERY_S, publish_events),) if settings.events_webhook_urls else ()
