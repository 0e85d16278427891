"""Fences: code between lines of three backticks or tildes, found in one pass."""

import re
from dataclasses import dataclass

_OPENING = re.compile(r"[ \t]*(?P<mark>```|~~~)[ \t]*(?P<language>\w*)[ \t]*")


@dataclass(frozen=True)
class Fence:
    """The content of a fence, and its language in lower case."""

    language: str
    inside: str


def split_fences(source: str) -> tuple[list[Fence], str]:
    """Return the closed fences of a text, and the text around them."""
    lines = source.split("\n")
    marks = [line.strip(" \t") for line in lines]
    last = {mark: at for at, mark in enumerate(marks)}
    fences: list[Fence] = []
    beside: list[str] = []
    at = 0
    while at < len(lines):
        opening = _OPENING.fullmatch(lines[at])
        # An unclosed fence is text; searching for an end only if there is one keeps this one pass.
        if opening is None or last.get(opening["mark"], 0) <= at + 1:
            beside.append(lines[at])
            at += 1
            continue
        end = marks.index(opening["mark"], at + 2)
        fences.append(Fence(opening["language"].casefold(), "\n".join(lines[at + 1 : end])))
        at = end + 1
    return fences, "\n".join(beside).strip()
