"""Alert texts, for a tired reader of a chat: what is wrong, what it means, what to do, and where to look."""

import re
from collections.abc import Sequence

from funnel_app.config import Settings
from funnel_app.flows.monitoring.alarms import ALARMS

BEGAN, OVER = "🔴 ", "🟢 Over: "
# Links that lead from a chat to the lead; noise in a sentence or on a page with its own links.
LINK = re.compile(r" \(https?://[^\s)]+\)")
CUT = " …"
# What stands between the number of needs and the first of them, in the headline.
NEEDS = " you: "


def without_link(words: str) -> str:
    """Return a text without the page addresses in parentheses."""
    return LINK.sub("", words)


def began(settings: Settings, kind: str, name: str, detail: str) -> str:
    """Return the message that something is wrong."""
    alarm = ALARMS.get(kind)
    if alarm is None:
        return f"{BEGAN}{name}: {detail}"
    said = f"{BEGAN}{detail}" if alarm.bare else f"{BEGAN}{name}: {detail}"
    to_do = f" What to do: {alarm.fix.rstrip('.')}." if alarm.fix else ""
    console = f"{settings.public_url}/console/"
    return (
        f"{said}\nWhat it means: {alarm.meaning.rstrip('.?')}.{to_do}\n"
        f"{console}{alarm.page} · in full: {console}runbook#{kind}"
    )


def beneath(headline: str, texts: Sequence[str]) -> list[str]:
    """Return the lines of a message, the headline first, then what it tells; no words stand there twice."""
    told_first = sorted(texts, key=lambda text: not (_is_the_stop(headline, text) or _is_the_need(headline, text)))
    return [_without_need(headline, texts), *(_without(headline, text) for text in told_first)]


def _without_need(headline: str, texts: Sequence[str]) -> str:
    """Return the headline with the number of needs alone, where a text below tells the one that it names."""
    ask = headline.partition(NEEDS)[0] + NEEDS.rstrip(": ")
    return f"{ask}." if any(_is_the_need(headline, text) for text in texts) else headline


def _is_the_need(headline: str, text: str) -> bool:
    _, _, need = headline.partition(NEEDS)
    told = without_link(text.partition("\n")[0].removeprefix(BEGAN)).rstrip(".")
    cut = need.endswith(CUT) and told.startswith(need.removesuffix(CUT))
    return bool(need) and text.startswith(BEGAN) and (cut or need == told or need.startswith(f"{told}; and "))


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
