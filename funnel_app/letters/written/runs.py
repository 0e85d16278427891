"""Runs repaired: tags split by formatting, typed links, and addresses without a scheme."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from urllib.parse import unquote

from funnel_app.letters.tags import MARK, Protected, find_tags, protect
from funnel_app.letters.written.model import Block, Kind, Run

_TYPED_LINK = re.compile(r"\[(?P<label>[^\[\]\n]{1,300})\]\((?P<target>[^\s()]{1,2000})\)")
_BARE = re.compile(f"https?://[^\\s<>\"'“”]+|(?P<tag>{MARK.pattern})")
_ADDRESS_TAG = re.compile(r"\{\{\s*\w+_(?:url|link)\s*\}\}")
_AFTER_ADDRESS = ".,;:!?)]}*_"
_KEPT_TARGET = re.compile(r"(?i:https?)://[^\s/?#]|(?i:mailto|tel):\S|\{\{")
_BARE_HOST = re.compile(r"(?:www\.)?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24}(?:[/?#]\S*)?")
_MAILBOX = re.compile(r"[^\s@/:?#]{1,64}@[A-Za-z0-9.-]{1,250}\.[A-Za-z]{2,24}")
# Notion turns any typed link into an address, even a tag.
_TAG_AS_ADDRESS = re.compile(r"(?:https?:/*|/)?(?P<tag>\{\{[^{}]*\}\})(?P<rest>\S*)/?", re.DOTALL)


def whole(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return runs with each tag in one run, formatted like its first character, and typed links as links."""
    fixed = _with_whole_tags([replace(run, href=target(run.href)) for run in runs if run.text])
    return tuple(piece for run in fixed for piece in _linked(run))


def paragraph(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield a paragraph of these runs; nothing if they show nothing."""
    if "".join(run.text for run in runs).strip():
        yield Block(Kind.PARAGRAPH, tuple(runs))


def target(href: str) -> str:
    """Return a link's intended target: a tag that Notion took for an address, a host without https://."""
    address = href.strip()
    if "%7B" in address.upper() or "{{" in address:
        plain = unquote(address)
        if found := _TAG_AS_ADDRESS.fullmatch(plain):
            return found["tag"] + found["rest"].rstrip("/")
        return plain
    if _MAILBOX.fullmatch(address):
        return f"mailto:{address}"
    return f"https://{address}" if _BARE_HOST.fullmatch(address) else address


def is_kept(address: str) -> bool:
    """Say whether a letter may have this link: web, mail, telephone, or a variable."""
    return bool(_KEPT_TARGET.match(address))


def _with_whole_tags(runs: Sequence[Run]) -> list[Run]:
    text = "".join(run.text for run in runs)
    owner = [number for number, run in enumerate(runs) for _ in run.text]
    for start, end in find_tags(text):
        owner[start:end] = [owner[start]] * (end - start)
    pieces = groupby(range(len(text)), key=owner.__getitem__)
    return [replace(runs[number], text="".join(text[at] for at in places)) for number, places in pieces]


def _linked(run: Run) -> Iterator[Run]:
    """Yield a run with its typed links as links."""
    if run.href or run.code:
        yield run
        return
    protected = protect(run.text)
    at = 0
    for found in _TYPED_LINK.finditer(protected.source):
        address = target(protected.restored(found["target"]))
        if not is_kept(address):
            continue
        yield from _addresses(run, protected, protected.source[at : found.start()])
        yield replace(run, text=protected.restored(found["label"]), href=address)
        at = found.end()
    yield from _addresses(run, protected, protected.source[at:])


def _addresses(run: Run, protected: Protected, text: str) -> Iterator[Run]:
    at = 0
    for found in _BARE.finditer(text):
        address = protected.restored(found[0])
        if found["tag"] and not _ADDRESS_TAG.fullmatch(address):
            continue
        kept = len(found[0].rstrip(_AFTER_ADDRESS)) if not found["tag"] else len(found[0])
        address = protected.restored(found[0][:kept])
        if found.start() > at:
            yield replace(run, text=protected.restored(text[at : found.start()]))
        yield replace(run, text=address, href=address)
        at = found.start() + kept
    if at < len(text):
        yield replace(run, text=protected.restored(text[at:]))
