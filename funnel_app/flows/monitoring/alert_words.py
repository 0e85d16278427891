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
    """Return the lines of a message, the headline first, then the stop it tells; its words are not repeated."""
    stop_first = sorted(texts, key=lambda text: not _is_the_stop(headline, text))
    return [headline, *(_without(headline, text) for text in stop_first)]


def _without(headline: str, text: str) -> str:
    """Return a text without the words that the headline says: a stop's detail, or the first line of a digest."""
    first, _, more = text.partition("\n")
    if _is_the_stop(headline, text):
        return f"{first.partition(': ')[0]}.\n{more}"
    return more if more and headline.endswith(f": {first}") else text


def _is_the_stop(headline: str, text: str) -> bool:
    first, _, meaning = text.partition("\n")
    _, _, detail = first.rstrip(".").partition(": ")
    return text.startswith(BEGAN) and bool(meaning and detail) and headline.endswith(f"stands still: {detail}")
