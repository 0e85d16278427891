"""Write blocks as HTML in the starters' layout. Text is escaped."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import groupby

from funnel_app.letters.tags import find_tags, tags_of
from funnel_app.letters.words import one_line, shown
from funnel_app.letters.written.model import Block, Kind, Run

PREVIEW_CHARS = 110
REASON = "You receive this email because you were in touch with us."
# The layout's classes where it has them; other styles are here, so that the layout stays the starters'.
_SERIF = "font-family:Georgia,'Times New Roman',serif;line-height:1.3"
_STYLES = {
    "h2": f"margin:28px 0 12px;{_SERIF};font-size:22px",
    "h3": f"margin:24px 0 10px;{_SERIF};font-size:19px",
    "quote": "font-style:italic",
    "image": "display:block;max-width:100%;height:auto;margin:0 0 18px;border:0",
    "divider": "margin:26px 0;border:0;border-top:1px solid #cfc3b2",
    "code": "margin:0 0 18px;font-family:Consolas,Menlo,monospace;font-size:15px;white-space:pre-wrap",
}
_LOOKS = (("bold", "strong"), ("italic", "em"), ("underline", "u"), ("strike", "s"), ("code", "code"))
_LIST_TAGS = {Kind.BULLET: "ul", Kind.NUMBER: "ol"}
_IF = re.compile(r"\{%-?\s*if\b")
_ENDIF = re.compile(r"\{%-?\s*endif\s*-?%\}")
# A table cell, whose padding Outlook respects, as in the starters.
BUTTON = (
    '<div class="action"><table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td class="button">'
    '<a class="press" href="{href}">{label}</a></td></tr></table></div>'
)


def letter(blocks: Sequence[Block], layout: str) -> str:
    """Return the whole page of a letter written as blocks."""
    filled = {"preview": _preview(blocks), "reason": REASON, "body": body(blocks)}
    return re.sub(r"\[(preview|reason|body)\]", lambda found: filled[found[1]], layout)


def body(blocks: Sequence[Block]) -> str:
    """Return blocks as HTML, one a line, consecutive items in one list."""
    written = (
        _list(kind, list(group)) if kind in _LIST_TAGS else "\n".join(_block(each) for each in group)
        for kind, group in groupby(blocks, key=lambda block: block.kind)
    )
    return "\n".join(each for each in written if each)


def _list(kind: Kind, items: Sequence[Block]) -> str:
    tag = _LIST_TAGS[kind]
    start = f' start="{items[0].level}"' if kind is Kind.NUMBER and items[0].level > 1 else ""
    lines = "\n".join(_item(item) for item in items)
    return f"<{tag}{start}>\n{lines}\n</{tag}>"


def _item(item: Block) -> str:
    inner = f"\n{body(item.children)}\n" if item.children else ""
    return _wrapped(item, lambda words: f"<li>{words}{inner}</li>")


def _block(block: Block) -> str:
    made = _MAKERS[block.kind](block)
    if block.kind in (Kind.QUOTE, Kind.NOTE) or not block.children:
        return made
    return f"{made}\n{body(block.children)}"


def _paragraph(block: Block) -> str:
    if not block.text.strip():
        return ""
    if button := _button(block.runs):
        return button
    return _wrapped(block, lambda words: f"<p>{words}</p>")


def _heading(block: Block) -> str:
    if block.level == 1:
        return _wrapped(block, lambda words: f"<h1>{words}</h1>")
    tag = "h2" if block.level == 2 else "h3"
    return _wrapped(block, lambda words: f'<{tag} style="{_STYLES[tag]}">{words}</{tag}>')


def _quote(block: Block) -> str:
    return _boxed(block, f'class="item" style="{_STYLES["quote"]}"')


def _note(block: Block) -> str:
    return _boxed(block, 'class="note"')


def _boxed(block: Block, look: str) -> str:
    """Return a paragraph with a style, or a box of that style around it and its children."""
    if not block.children:
        return _wrapped(block, lambda words: f"<p {look}>{words}</p>")
    words = _words(block.runs)
    first = f"<p>{words}</p>\n" if words.strip() else ""
    return f"<div {look}>{first}{body(block.children)}</div>"


def _code(block: Block) -> str:
    return f'<p style="{_STYLES["code"]}">{_words(block.runs)}</p>'


def _image(block: Block) -> str:
    alt = f' alt="{_escaped(block.text.strip(), quote=True)}"' if block.text.strip() else ""
    return f'<img src="{_escaped(block.address, quote=True)}"{alt} style="{_STYLES["image"]}">'


def _divider(_: Block) -> str:
    return f'<hr style="{_STYLES["divider"]}">'


_MAKERS: dict[Kind, Callable[[Block], str]] = {
    Kind.PARAGRAPH: _paragraph,
    Kind.HEADING: _heading,
    Kind.QUOTE: _quote,
    Kind.NOTE: _note,
    Kind.CODE: _code,
    Kind.IMAGE: _image,
    Kind.DIVIDER: _divider,
}


def _wrapped(block: Block, wrap: Callable[[str], str]) -> str:
    """Return a block in its element; a condition around all of it goes around the element, which is empty else."""
    words, tags = _words(block.runs).strip(), tags_of(block.text)
    blocks = [tag for tag in tags if tag.startswith("{%")]
    if blocks and not _without(block.text, blocks).strip() and not block.children:
        return "\n".join(blocks)
    around = len(blocks) == 2 and _IF.match(blocks[0]) and _ENDIF.fullmatch(blocks[1])
    if around and words.startswith(blocks[0]) and words.endswith(blocks[1]):
        return f"{blocks[0]}{wrap(words.removeprefix(blocks[0]).removesuffix(blocks[1]).strip())}{blocks[1]}"
    return wrap(words) if words or block.children else ""


def _without(text: str, tags: Iterable[str]) -> str:
    for tag in tags:
        text = text.replace(tag, "", 1)
    return text


def _button(runs: Sequence[Run]) -> str:
    """Return the layout's button for a paragraph that is one named link; a bare address stays a link."""
    linked = [run for run in runs if run.text.strip()]
    label = "".join(run.text for run in linked).strip()
    addresses = {run.href for run in linked}
    if len(addresses) != 1 or label in addresses or "" in addresses or "\n" in label:
        return ""
    href = _escaped(addresses.pop(), quote=True)
    return BUTTON.format(href=href, label=_escaped(label))


def _words(runs: Sequence[Run]) -> str:
    return "".join(_linked(href, list(group)) for href, group in groupby(runs, key=lambda run: run.href))


def _linked(href: str, runs: Sequence[Run]) -> str:
    words = "".join(_looking(run) for run in runs)
    return f'<a class="link" href="{_escaped(href, quote=True)}">{words}</a>' if href else words


def _looking(run: Run) -> str:
    words = _escaped(run.text).replace("\n", "<br>\n")
    if not run.text.strip():
        return words
    for name, tag in _LOOKS:
        if getattr(run, name):
            words = f"<{tag}>{words}</{tag}>"
    return words


def _escaped(text: str, *, quote: bool = False) -> str:
    """Return text escaped for HTML; template tags stay as they are."""
    parts, at = [], 0
    for start, end in find_tags(text):
        parts += [escape(text[at:start], quote=quote), text[start:end]]
        at = end
    return "".join([*parts, escape(text[at:], quote=quote)])


def _preview(blocks: Sequence[Block]) -> str:
    """Return the first sentence after the greeting, which inboxes show beside the subject."""
    for block in blocks:
        words = one_line(shown("".join(run.text for run in block.runs if not run.href)))
        if block.kind is Kind.PARAGRAPH and words and not words.endswith(",") and "{" not in words:
            cut = words if len(words) <= PREVIEW_CHARS else words[:PREVIEW_CHARS].rsplit(" ", 1)[0] + "…"
            return escape(cut, quote=False)
    return ""
