"""Alert texts, for a tired reader of a chat: what is wrong, what it means, what to do, and where to look."""

import re

from funnel_app.campaigns.spoken import full_stop
from funnel_app.config import Settings
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, page_of

BEGAN, OVER = "🔴 ", "🟢 Over: "
# Links that lead from a chat to the lead; noise in a sentence or on a page with its own links.
LINK = re.compile(r" \(https?://[^\s)]+\)")


def without_link(words: str) -> str:
    """Return a text without the page addresses in parentheses."""
    return LINK.sub("", words)


def began(settings: Settings, kind: str, name: str, detail: str, subject: str = "") -> str:
    """Return the message that something is wrong."""
    alarm = ALARMS.get(kind)
    if alarm is None:
        return f"{BEGAN}{name}: {detail}"
    said = f"{BEGAN}{detail}" if alarm.bare else f"{BEGAN}{name}: {detail}"
    to_do = f" What to do: {full_stop(alarm.fix)}" if alarm.fix else ""
    console = f"{settings.public_url}/console/"
    return (
        f"{said}\nWhat it means: {full_stop(alarm.meaning)}{to_do}\n"
        f"{console}{page_of(kind, subject)} · in full: {console}runbook#{kind}"
    )
