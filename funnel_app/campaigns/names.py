"""Template names: guess which key a page's name means."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

NEAR_ENOUGH = 0.7
SHORTEST_PART = 4
NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
EMAIL = re.compile(r"^e-?mail$|^e$|^mail$")
FILLERS = frozenset({"template", "draft", "copy", "of", "the", "final", "new", "old", "version"})
PART = re.compile(r"[a-z]+|\d+")


class Meaning(NamedTuple):
    """The meaning of a name: its words without spaces, and the number of the email; empty and None if missing."""

    words: str
    number: str | None


def nearest(name: str, wanted: Mapping[str, Sequence[str]]) -> str | None:
    """Return the key that a page's name probably means; None if none fits. `wanted` holds each key's aliases."""
    scored = [(_nearness(name, said), key) for key, names in wanted.items() for said in (key, *names)]
    score, key = max(scored, default=(0.0, ""))
    return key if score >= NEAR_ENOUGH else None


def _nearness(name: str, wanted: str) -> float:
    meant, given = meaning(wanted), meaning(name)
    if not given.words or given.number != meant.number:
        return 0.0
    shorter, longer = sorted((meant.words, given.words), key=len)
    if len(shorter) >= SHORTEST_PART and shorter in longer:
        return 0.8 + 0.2 * len(shorter) / len(longer)
    return SequenceMatcher(None, meant.words, given.words, autojunk=False).ratio()


def meaning(name: str) -> Meaning:
    """Return a name's meaning: "5-Day E1: Your Results" has the words "5day" before its number 1."""
    parts = _parts(name)
    places = [place for place, part in enumerate(parts[1:], 1) if part.isdigit() and EMAIL.match(parts[place - 1])]
    place = places[0] if places else _last_number(_parts(name.split(":")[0]))
    if place is None:
        return Meaning("".join(_words(parts)), None)
    return Meaning("".join(_words(parts[:place]) or _words(parts[place + 1 :])), parts[place])


def _last_number(parts: Sequence[str]) -> int | None:
    return next((place for place in range(len(parts) - 1, -1, -1) if parts[place].isdigit()), None)


def _words(parts: Sequence[str]) -> list[str]:
    return [part for part in parts if part not in FILLERS and not EMAIL.match(part)]


def _parts(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    return [str(int(part)) if part.isdigit() else NUMBERS.get(part, part) for part in PART.findall(plain)]
