"""Blocks of a Notion page as plain data, and which code block is the letter; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from funnel_app.gateways.notion.pages import plain

LOOKS = {"bold": "bold", "italic": "italic", "strikethrough": "strike", "underline": "underline", "code": "code"}
LETTER = "html"
# Blocks that may be on a page on which nobody wrote.
EMPTY = frozenset({"paragraph", "column", "column_list"})


@dataclass(frozen=True)
class Code:
    """One code block: text, language, and caption."""

    text: str
    language: str
    caption: str

    @property
    def named(self) -> bool:
        """Whether its caption marks it as the letter."""
        return self.caption.strip().casefold().startswith(LETTER)


@dataclass(frozen=True)
class OnPage:
    """A page's content: the code that is its letter, the typed blocks, or why neither can be told."""

    html: str = ""
    typed: tuple[Mapping[str, Any], ...] = ()
    unclear: str = ""
    written: bool = False

    @property
    def words(self) -> str:
        """All of its text as one line."""
        return " ".join(" ".join([*_words(self.typed), self.html]).split())


def on_page(blocks: Sequence[Mapping[str, Any]]) -> OnPage:
    """Return a page's content from its blocks, each with its own under `children`."""
    codes = [code for code in _codes(blocks) if code.text.strip()]
    typed = tuple(_typed(blocks))
    letter = _letter(codes)
    if letter is None:
        kinds = ", ".join(code.caption.strip() or code.language or "no language" for code in codes)
        unclear = f"{len(codes)} code blocks ({kinds}), and it is not certain which of them is the letter"
        return OnPage(unclear=unclear, written=True)
    notes = any(code.named for code in codes)
    return OnPage(letter, () if notes else typed, written=bool(codes or typed))


def runs(items: object) -> list[dict[str, Any]]:
    """Return rich text items as runs: the words, their looks, and where they lead."""
    return [_run(item) for item in (items if isinstance(items, list) else [])]


def styled(items: object) -> bool:
    """Say whether rich text has formatting, or links other than visible addresses."""
    return any(any(run.get(look) for look in LOOKS.values()) or _leads_elsewhere(run) for run in runs(items))


def _leads_elsewhere(run: Mapping[str, Any]) -> bool:
    href = str(run.get("href", ""))
    return bool(href) and _bare(href) != _bare(str(run["text"]))


def _bare(address: str) -> str:
    return address.strip().removeprefix("mailto:").removeprefix("https://").removeprefix("http://").rstrip("/")


def _run(item: Mapping[str, Any]) -> dict[str, Any]:
    looks = item.get("annotations") or {}
    link = (item.get("text") or {}).get("link") or {}
    run: dict[str, Any] = {"text": plain([item])}
    run |= {ours: True for theirs, ours in LOOKS.items() if looks.get(theirs)}
    if href := item.get("href") or link.get("url"):
        run["href"] = str(href)
    return run


def _codes(blocks: Iterable[Mapping[str, Any]]) -> Iterator[Code]:
    for block in blocks:
        if block.get("type") == "code":
            code = block.get("code") or {}
            yield Code(plain(code.get("rich_text")), str(code.get("language") or ""), plain(code.get("caption")))
        yield from _codes(block.get("children") or ())


def _letter(codes: Sequence[Code]) -> str | None:
    """Return the code block of the letter, empty if there is none; None if several could be."""
    named = [code for code in codes if code.named]
    likely = named or [code for code in codes if code.language == LETTER] or codes
    texts = [code.text for code in likely]
    return "\n".join(texts) if len(texts) < 2 or named or _is_one_page(texts) else None


def _is_one_page(texts: Sequence[str]) -> bool:
    """Say whether pieces are one HTML page that was split: it begins in the first, and ends in the last."""
    heads = [text.lstrip().casefold().startswith(("<!doctype", "<html")) for text in texts]
    ends = ["</html>" in text.casefold() for text in texts]
    return heads[0] and ends[-1] and not any(heads[1:]) and not any(ends[:-1])


def _words(typed: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for block in typed:
        yield "".join(str(run["text"]) for run in block.get("runs") or ())
        yield from _words(block.get("children") or ())


def _typed(blocks: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each block that is no code and no empty line, as plain data."""
    for block in blocks:
        made = _plain_block(block)
        if made["type"] != "code" and (made["type"] not in EMPTY or len(made) > 1):
            yield made


def _plain_block(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(block.get("type"))
    content = block.get(kind) or {}
    held = content.get("file") or {}
    found = {
        "runs": [run for run in runs(content.get("rich_text") or content.get("caption")) if run["text"]],
        "children": list(_typed(block.get("children") or ())),
        "url": "" if held else (content.get("external") or {}).get("url") or content.get("url") or "",
        "hosted": bool(held),
        "folded": bool(content.get("is_toggleable")),
        "sign": (content.get("icon") or {}).get("emoji") or "",
    }
    return {"type": kind, **{name: value for name, value in found.items() if value}}
