"""Alarms: every kind of alert: its title, meaning, fix, and how long it must last before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from funnel_app.campaigns.spoken import capital
from funnel_app.campaigns.states import State
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS
from funnel_app.flows.outbox.receiver_status import GIVEN_UP as EVENTS_GIVEN_UP
from funnel_app.flows.outbox.receiver_status import KIND as RECEIVER_AWAY
from funnel_app.flows.replies.standing import KEPT as REPLIES_KEPT
from funnel_app.flows.replies.standing import WAITING as REPLIES_WAITING
from funnel_app.flows.sending.eligibility import OFF_THE_LIST

AT_ONCE = timedelta(0)
# Events of this window share one alert, with their number.
TOGETHER = timedelta(minutes=1)
QUIET = timedelta(hours=1)
BROKEN_TEXT, NOTION_AWAY, DOCTOR = "text_broken", "notion_away", "doctor"


@dataclass(frozen=True)
class Alarm:
    """One kind of alert: title, meaning, fix, and how long it must last before anybody is notified.

    `page` is the console's page that shows it. A kind that counts events ends after this time without a new one. What
    a `bare` kind tells is a whole sentence, without the title.
    """

    title: str
    meaning: str
    patience: timedelta = AT_ONCE
    fix: str = ""
    quiet_for: timedelta | None = None
    page: str = ""
    bare: bool = False


def _happens(title: str, meaning: str, fix: str, page: str = "") -> Alarm:
    return Alarm(title, meaning, TOGETHER, fix, QUIET, page)


ALARMS: Mapping[str, Alarm] = {
    "redis_away": Alarm(
        "Redis does not work",
        "calls are taken, and nothing is sent until it is back",
        timedelta(seconds=30),
        "See that Redis runs and that REDIS_URL is right; nothing is lost",
    ),
    "scheduler_silent": Alarm(
        "The scheduler is silent",
        "the first email after a sign-up still goes while workers run, and later ones wait",
        # A Redis that came back empty knows of no sign of life until the next one.
        timedelta(seconds=10),
        "Restart the container, or start python -m jobs.scheduler",
    ),
    "worker_gone": Alarm(
        "Workers are missing",
        "emails go slower, or not at all",
        timedelta(seconds=10),
        "Restart the container, or start python -m jobs.worker",
    ),
    "web_away": Alarm(
        "The public address does not answer",
        "leads are lost unless their senders try again",
        timedelta(seconds=15),
        "Open PUBLIC_URL from your phone: look at the name, the certificate and the proxy",
    ),
    "sending_paused": Alarm(
        "Sending is paused",
        "Resend refuses the account, the key, the sender or the quota: no email goes out",
        fix="Fix what Resend names; sending tries again by itself",
        page="doctor",
    ),
    "resend_away": Alarm(
        "Resend does not take emails",
        "they wait, and go when it is back",
        timedelta(minutes=5),
        "Fix the setting that it names; where it names none, look at resend-status.com and wait",
    ),
    "clock_jumped": Alarm(
        "The clock is wrong",
        "sending stops, so that nothing goes at a wrong time",
        fix="Set this machine's clock (NTP)",
    ),
    "disk_full": Alarm("The disk is nearly full", "a full disk refuses leads", fix="Make room, or a larger volume"),
    "jobs_failed": Alarm(
        "A job failed for an unknown reason",
        "its email is tried again by itself",
        fix="Look into the worker's log for the cause, and report it",
        page="rq/",
    ),
    "hook_silent": Alarm(
        "A source of leads is silent",
        "nobody calls it, for far longer than usual",
        fix="Try its form or calendar yourself, and see whether the call arrives",
        page="hooks",
    ),
    "calls_refused": _happens(
        "Incoming calls could not be used",
        "what their sender sent cannot be used: those leads get nothing yet",
        "Correct and replay them on the page (or with flask hooks replay), and have the sender fixed",
        "hooks?outcome=refused",
    ),
    "calls_not_kept": _happens(
        "Incoming calls are counted and not kept",
        "a sender fills the 20 MB that its refused calls may take in a day: what comes now cannot be replayed",
        "Stop that sender or have it fixed; what it sent meanwhile must be asked of it again",
    ),
    "calls_unproven": Alarm(
        "Incoming calls without our secret",
        "they are refused and not kept: is their sender's secret ours?",
        TOGETHER,
        "Give the sender HOOK_SECRET as it is set here (prefect: LEGACY_KEY, resend: RESEND_WEBHOOK_SECRET); "
        "if only strangers knock, nothing is to be done",
        page="hooks",
    ),
    "provider_silent": Alarm(
        "Resend's reports do not come",
        "emails go out, and nobody knows whether they arrive",
        fix="Look at the address for reports in Resend: flask resend webhooks",
        page="doctor",
    ),
    "canary_late": Alarm(
        "The test email did not arrive",
        "what stopped it stops every email",
        fix="Run all checks, then flask resend canary",
        page="doctor",
    ),
    DOCTOR: Alarm(
        "A check found a fault", "what it names keeps emails from arriving, soon if not yet", page="doctor"
    ),
    BROKEN_TEXT: Alarm(
        "A text cannot be sent",
        "no lead gets what Notion has, until it is corrected",
        # Longer than somebody needs to finish an edit.
        timedelta(seconds=30),
        "Correct the text in Notion; it is seen by itself within a minute",
        page="templates",
    ),
    NOTION_AWAY: Alarm(
        "Notion cannot be read",
        "emails go with the last good texts for a day, and are held after that",
        timedelta(minutes=1),
        "Look at status.notion.so; where Notion refuses, look at NOTION_TOKEN and at what is shared with it",
        page="templates",
    ),
    **{
        name: Alarm(broken.title, broken.meaning, fix=capital(broken.fix), bare=name in {"held", "ambiguous"})
        for name, broken in INVARIANTS.items()
    },
    State.BOUNCED: _happens(
        "Emails bounced",
        "a mailbox does not take them; nothing more goes to its address",
        "Ask the lead for another address and correct it on the lead's page; if it is right after all, press “Mail "
        "again” there, or with flask contacts release",
        f"leads?trouble={State.BOUNCED}",
    ),
    State.COMPLAINED: _happens(
        "Emails were marked as spam",
        "their reader does not want them; nothing more goes to that address",
        "Write to nobody who did not ask for it: where that is so often, Resend closes the account",
        f"leads?trouble={State.COMPLAINED}",
    ),
    State.SUPPRESSED: _happens(
        "Emails that Resend did not send",
        "Resend remembers an earlier bounce or complaint, and nothing more goes to the address",
        capital(OFF_THE_LIST),
        f"leads?trouble={State.SUPPRESSED}",
    ),
    State.FAILED: _happens(
        "Emails failed",
        "Resend refused them for good, or could not send what it took",
        "Fix what the reason names, then try again on the lead's page, or run flask emails retry; flask trace --ids "
        "shows the id",
        f"leads?trouble={State.FAILED}",
    ),
    RECEIVER_AWAY: Alarm(
        "A receiver takes no events",
        "what happens to leads waits for it, for three days",
        timedelta(minutes=10),
        "See that what EVENTS_WEBHOOK_URL leads to runs and answers with 2xx; nothing is lost meanwhile",
        page="outgoing",
    ),
    EVENTS_GIVEN_UP: _happens(
        "Events were given up",
        "a receiver did not take them in three days, and does not know of them",
        "Fix the receiver, then tell it again: flask events replay --given-up, or on the page",
        "outgoing?state=given_up",
    ),
    REPLIES_WAITING: Alarm(
        "Replies wait",
        "what people wrote cannot be fetched from Resend or sent on: it is kept, and neither lost nor seen",
        AT_ONCE,
        "RESEND_API_KEY needs full access to read what came; else see what the doctor says of replies",
        page="replies",
    ),
    REPLIES_KEPT: _happens(
        "Replies did not go on to your mailbox",
        "too much came within the hour, or the mailbox of REPLY_FORWARD_TO does not take it",
        "Read them on the page; what a mailbox refuses, fix there, then run flask replies forward",
        "replies",
    ),
    "list_stopped": _happens(
        "A list stopped coming in", "some of its people are not here", "See why on its page, and let it go on", "lists"
    ),
    "backup_failed": Alarm(
        "No backup was made", "after a loss of the ledger the last one would be what is left",
        fix="See whether the volume of BACKUP_DIR has room, then run flask ledger backup",
    ),
    "backup_old": Alarm(
        "The newest backup is old", "two nights brought none", fix="Run flask ledger backup, and see what it says"
    ),
    "backup_broken": Alarm(
        "A backup was damaged after it was made", "it cannot be brought back, and the disk that holds it may fail",
        fix="Look at that disk, remove the file, and run flask ledger backup",
    ),
    "replica_behind": Alarm(
        "The replica is behind",
        "what changes is on this machine's disk alone, until the last backup",
        timedelta(minutes=1),
        fix="See that the folder or store of REPLICA_URL can be written to",
    ),
    "heartbeat_failed": Alarm(
        "The dead man's switch does not hear us",
        "if this whole machine goes, nobody is told",
        timedelta(minutes=5),
        "Create the check again there, and set HEARTBEAT_URL to its address",
    ),
    "ledger_damaged": Alarm(
        "The ledger is damaged",
        "what it lost is in the backups alone, and it may lose more with each call",
        fix="Stop Funnel and restore the newest whole backup, as docs/restore.md says",
    ),
    "ledger_away": Alarm(
        "The ledger cannot be used",
        "calls are answered 503 and their senders must try again",
        timedelta(seconds=30),
        "See that the database runs and that its disk is not full",
    ),
}  # fmt: skip


def page_of(kind: str, subject: str) -> str:
    """Return the console's page of an incident: of the text that it names, else of its kind; empty if none shows it."""
    if kind == BROKEN_TEXT and subject:
        return f"{ALARMS[kind].page}/{subject}"
    return ALARMS[kind].page if kind in ALARMS else ""


def title_of(kind: str) -> str:
    """Return the title of a kind."""
    return ALARMS[kind].title if kind in ALARMS else kind.replace("_", " ").capitalize()
