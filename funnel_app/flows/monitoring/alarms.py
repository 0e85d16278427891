"""Alarms: every kind of thing that Funnel tells of by itself, what it means, and how long it must last first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from funnel_app.campaigns.states import State
from funnel_app.flows.monitoring.invariants import INVARIANTS

AT_ONCE = timedelta(0)
# What happens together is told together, with its number.
TOGETHER = timedelta(minutes=1)
QUIET = timedelta(hours=1)


@dataclass(frozen=True)
class Alarm:
    """One kind: its name for people, what it means, and how long it must last before anybody is told.

    What happens rather than lasts has a fix of its own, and is over when no more of it came for so long.
    """

    title: str
    meaning: str
    patience: timedelta = AT_ONCE
    fix: str = ""
    quiet_for: timedelta | None = None


def _happens(title: str, meaning: str, fix: str) -> Alarm:
    return Alarm(title, meaning, TOGETHER, fix, QUIET)


ALARMS: Mapping[str, Alarm] = {
    "redis_away": Alarm(
        "Redis does not work",
        "hooks are accepted, and nothing is sent until it is back",
        timedelta(seconds=30),
    ),
    "scheduler_silent": Alarm("The scheduler is silent", "nothing becomes due: no email is sent", AT_ONCE),
    "worker_gone": Alarm("Workers are missing", "emails go slower, or not at all", timedelta(seconds=10)),
    "web_away": Alarm(
        "The public address does not answer", "hooks are lost unless their senders try again", timedelta(seconds=15)
    ),
    "sending_paused": Alarm(
        "Sending is paused", "Resend refuses the account, the key, the sender or the quota: no email goes out"
    ),
    "resend_away": Alarm("Resend does not take emails", "they wait, and go when it is back", timedelta(minutes=5)),
    "clock_jumped": Alarm("The clock is wrong", "sending stops, so that nothing goes at a wrong time"),
    "disk_full": Alarm("The disk is nearly full", "a full disk refuses hooks"),
    "jobs_failed": Alarm("A job failed for an unknown reason", "the sweep repeats it; the worker's log has the cause"),
    "hook_silent": Alarm("A hook is silent", "nobody calls it, far longer than usual: is its sender still wired up?"),
    "calls_refused": _happens(
        "Calls of a hook are refused",
        "what its sender sends cannot be used, and starts nothing",
        "See flask hooks list --outcome refused, have the sender mended, and replay them with flask hooks replay",
    ),
    "calls_not_kept": _happens(
        "Refused calls are counted and not kept",
        "a sender fills the 20 MB that its refused calls may take in a day: what comes now cannot be replayed",
        "Stop that sender or have it mended; what it sent meanwhile must be asked of it again",
    ),
    "calls_unproven": Alarm(
        "Calls of a hook have no proof",
        "they are refused and not kept: is its sender's secret ours?",
        TOGETHER,
        "Give its sender HOOK_SECRET as it is set here (prefect: LEGACY_KEY, resend: RESEND_WEBHOOK_SECRET); "
        "if only strangers knock, nothing is to be done",
    ),
    "provider_silent": Alarm(
        "Resend's events do not come", "emails go out, and nobody knows whether they arrive"
    ),
    "canary_late": Alarm("The canary did not arrive", "what broke its flight breaks every email's"),
    "doctor": Alarm("The doctor found a fault", "what it names keeps emails from arriving, soon if not yet"),
    **{
        name: Alarm(f"Emails: {name.replace('_', ' ')}", f"{broken.broken}; {broken.mended_by}")
        for name, broken in INVARIANTS.items()
    },
    State.BOUNCED: _happens(
        "Emails: bounced",
        "a mailbox does not take them; nothing more goes to its address",
        "Ask the lead for another address, or run flask contacts release if it is right after all",
    ),
    State.COMPLAINED: _happens(
        "Emails: marked as spam",
        "their reader does not want them; nothing more goes to that address",
        "Write to nobody who did not ask for it: where that is so often, Resend closes the account",
    ),
    State.SUPPRESSED: _happens(
        "Emails: not sent by Resend",
        "Resend remembers an earlier bounce or complaint, and nothing more goes to the address",
        "If the address is right, remove it from Resend's suppression list and run flask contacts release",
    ),
    State.FAILED: _happens(
        "Emails: failed",
        "Resend refused them for good, or could not send what it took",
        "Mend what the reason names, then run flask emails retry; flask trace --ids shows the id",
    ),
    "backup_failed": Alarm("No backup was made", "after a loss of the ledger the last one would be what is left"),
    "backup_old": Alarm("The newest backup is old", "two nights brought none"),
    "heartbeat_failed": Alarm(
        "The dead man's switch does not hear us",
        "if this whole machine goes, nobody is told",
        timedelta(minutes=5),
    ),
    "ledger_damaged": Alarm(
        "The ledger is damaged", "what it lost is in the backups alone, and it may lose more with each hook"
    ),
    "ledger_away": Alarm(
        "The ledger cannot be used", "hooks are answered 503 and their senders must try again", timedelta(seconds=30)
    ),
}  # fmt: skip


def title_of(kind: str) -> str:
    """Return the name of a kind for people."""
    return ALARMS[kind].title if kind in ALARMS else kind.replace("_", " ").capitalize()
