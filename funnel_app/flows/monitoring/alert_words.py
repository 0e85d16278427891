"""Alert words: what a tired person reads in a chat: what is wrong, what it means, what to do, and where to look."""

from collections.abc import Sequence

from funnel_app.config import Settings
from funnel_app.flows.monitoring.alarms import ALARMS

BEGAN, OVER = "🔴 ", "🟢 Over: "
# Of several at once each is told in one line where all would be longer than a chat takes.
LONGEST = 1800


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


def together(first: str, texts: Sequence[str]) -> str:
    """Return one message of several, each whole where there is room, else in one line."""
    whole = "\n".join([first, *texts])
    if len(whole) <= LONGEST or len(texts) == 1:
        return whole
    room = (LONGEST - len(first)) // len(texts)
    return "\n".join([first, *(_short(text, room) for text in texts)])


def _short(text: str, room: int) -> str:
    line = text.splitlines()[0]
    return line if len(line) < room else f"{line[: room - 2]}…"
