"""Consent in a row: whether, when, and to what the person agreed; or that nothing is known."""

from collections.abc import Mapping
from datetime import UTC, datetime

from funnel_app.lists.headings import plain
from funnel_app.lists.standing import NO, NOTHING, YES

# Unambiguous formats only: 03/12/2026 has two readings, and stays text.
TIMES = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p", "%Y%m%dT%H%M%S",
)  # fmt: skip
EITHER_WAY = (("%d/%m/%Y", "%m/%d/%Y"), ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"), ("%d-%m-%Y", "%m-%d-%Y"))
OLDEST = datetime(1995, 1, 1, tzinfo=UTC)
LONGEST_WORDS = 500
Evidence = Mapping[str, object]


def evidence_of(agreed: str, at: str, now: datetime) -> Evidence | None:
    """Return the evidence in a row's wording and time of consent, possibly empty; None if they say no.

    An ambiguous time is kept as text.
    """
    if plain(agreed) in NO | {"unsubscribed", "opted out", "not given", "denied", "declined"}:
        return None
    words = "" if plain(agreed) in NOTHING else agreed
    when = "" if plain(at) in NOTHING | NO else at
    found = time_of(when, now) or time_of(words, now)
    if found is None and not words and not when:
        return {}
    said = [text for text in (words, when) if text and time_of(text, now) is None and plain(text) not in YES]
    told = "; ".join(said)[:LONGEST_WORDS] or ("agreed, as the list says" if found is None else None)
    return {name: value for name, value in (("consent_at", found), ("consent_text", told)) if value is not None}


def time_of(text: str, now: datetime) -> datetime | None:
    """Return the time that a text names; None if it is invalid, ambiguous or in the future."""
    at = _read(text.strip())
    if at is None:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    # Compared without conversion: the first and last possible dates have no UTC in some zones.
    return at.astimezone(UTC) if OLDEST <= at <= now else None


def _read(text: str) -> datetime | None:
    if not 6 <= len(text) <= 40:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    found = (_parsed(text, form) for form in TIMES)
    at = next((each for each in found if each is not None), None)
    return at if at is not None else _one_way(text)


def _one_way(text: str) -> datetime | None:
    for forms in EITHER_WAY:
        read = {at for form in forms if (at := _parsed(text, form)) is not None}
        if len(read) == 1:
            return read.pop()
    return None


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007  # its zone is set by whoever asks
    except ValueError:
        return None
