"""Alert texts, for a tired reader of a chat: what is wrong, what it means, what to do, and where to look."""

from funnel_app.config import Settings
from funnel_app.flows.monitoring.alarms import ALARMS

BEGAN, OVER = "🔴 ", "🟢 Over: "


def began(settings: Settings, kind: str, name: str, detail: str) -> str:
    """Return the message that something is wrong."""
    said = f"{BEGAN}{name}: {detail}"
    alarm = ALARMS.get(kind)
    if alarm is None:
        return said
    to_do = f" What to do: {alarm.fix.rstrip('.')}." if alarm.fix else ""
    console = f"{settings.public_url}/console/"
    return (
        f"{said}\nWhat it means: {alarm.meaning.rstrip('.?')}.{to_do}\n"
        f"{console}{alarm.page} · in full: {console}runbook#{kind}"
    )
