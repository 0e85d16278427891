"""Starters: the texts of a new templates database, and the fingerprints of all earlier ones."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STARTERS = Path(__file__).parents[3] / "migrations" / "notion" / "templates"
LAYOUT = STARTERS.parent / "layout.html"
# Made by `python -m docs.starters`: each key's earlier bodies and subjects, with their first day.
FINGERPRINTS = STARTERS.parent / "starters.json"
HEAD_LINE = re.compile(r"\s*<!--\s*(?P<name>subject|preview|reason):\s*(?P<text>.+?)\s*-->\s*", re.DOTALL)


@dataclass(frozen=True)
class Earlier:
    """What a page still has of an earlier starter: the day of its body; whether its subject is one's."""

    day: str
    subject: bool


def find_starter(key: str) -> tuple[str, str] | None:
    """Return a starter's subject and whole page; None if there is none. Sending never reads them."""
    path = STARTERS / f"{key}.html"
    if not path.exists():
        return None
    try:
        return framed(path.read_text("utf-8"), LAYOUT.read_text("utf-8"))
    except ValueError as fault:
        raise ValueError(f"{path.name} {fault}") from None


def framed(text: str, layout: str) -> tuple[str, str]:
    """Return the subject and whole page of a starter's file; ValueError if its head is invalid."""
    parts, body = parted(text)
    absent = [name for name in ("subject", "preview", "reason") if name not in parts]
    if absent:
        raise ValueError(f"does not begin with <!-- {absent[0]}: … -->")
    for name, words in {"preview": parts["preview"], "reason": parts["reason"], "body": body.strip()}.items():
        layout = layout.replace(f"[{name}]", words)
    return parts["subject"], layout


def parted(text: str) -> tuple[dict[str, str], str]:
    """Return the named lines at the head of a starter, and the rest."""
    parts = {}
    while found := HEAD_LINE.match(text):
        parts[found["name"]] = found["text"]
        text = text[found.end() :]
    return parts, text


def find_earlier(key: str, subject: str, html: str) -> Earlier | None:
    """Return what a page has of an earlier starter; None if its body is current or edited."""
    present, known = find_starter(key), _fingerprints(FINGERPRINTS).get(key)
    if present is None or known is None or same_text(html) == same_text(present[1]):
        return None
    day = known["bodies"].get(fingerprint(html))
    return Earlier(day, fingerprint(subject) in known["subjects"]) if day else None


def fingerprint(text: str) -> str:
    """Return a hash that is equal for equal texts, whatever their line ends."""
    return hashlib.sha256(same_text(text).encode(errors="replace")).hexdigest()[:32]


def same_text(text: str) -> str:
    """Return a text without what Notion may change at line ends and edges."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


@cache
def _fingerprints(path: Path) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return dict(json.loads(path.read_text("utf-8")))
