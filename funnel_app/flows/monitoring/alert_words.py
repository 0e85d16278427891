"""Alert texts, for a tired reader of a chat: what is wrong, what it means, what to do, and where to look."""

from collections.abc import Sequence

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


def beneath(headline: str, texts: Sequence[str]) -> list[str]:
    """Return the lines of a message, the headline first; what it says of a stop or a digest is not repeated."""
    stop = next((text for text in texts if _is_the_stop(headline, text)), None)
    others = [_without(headline, text) for text in texts if text is not stop]
    if stop is None:
        return [headline, *others]
    first, _, meaning = stop.partition("\n")
    return [headline, f"{first.partition(': ')[0]}.\n{meaning}", *others]


def _without(headline: str, text: str) -> str:
    first, _, more = text.partition("\n")
    return more if more and headline.endswith(f": {first}") else text


def _is_the_stop(headline: str, text: str) -> bool:
    first, _, meaning = text.partition("\n")
    _, _, detail = first.rstrip(".").partition(": ")
    return text.startswith(BEGAN) and bool(meaning and detail) and headline.endswith(f"stands still: {detail}")
