"""Source: how a template was written, and the HTML it means; uncertain cases are reported."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from funnel_app.letters.problem import Problem, fault, warning
from funnel_app.letters.tags import protect
from funnel_app.letters.written.fences import Fence, split_fences
from funnel_app.letters.written.html import letter
from funnel_app.letters.written.markdown import read_markdown
from funnel_app.letters.written.model import Block
from funnel_app.letters.written.notion import read_blocks
from funnel_app.letters.written.rich import read_rich

_BLOCK_NAMES = "html|head|body|p|div|table|tbody|tr|td|th|h[1-6]|ul|ol|li|br|hr|center|section|article|blockquote|pre"
_INLINE_NAMES = "a|span|img|b|i|u|s|strong|em|font|small|style|sup|sub|button"
_BLOCK_TAG = re.compile(rf"<!doctype\b|</?(?:{_BLOCK_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TAG = re.compile(rf"<!doctype\b|</?(?:{_BLOCK_NAMES}|{_INLINE_NAMES})(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE)
_OPEN_TAG = re.compile(rf"<(?:{_BLOCK_NAMES}|{_INLINE_NAMES})\s", re.IGNORECASE)
_ESCAPED_TAG = re.compile(rf"&(?:amp;)?lt;/?(?:!doctype|{_BLOCK_NAMES}|{_INLINE_NAMES})\b", re.IGNORECASE)
# The mark of a tag is no letter.
_MARKDOWN_LEFT = re.compile(
    r"\*\*[\w\ue000][^*\n]{0,200}\*\*|\[[^\[\]\n]{1,200}\]\((?:https?:|mailto:)[^()\s]{1,500}\)"
)
_FOREIGN = (
    (
        re.compile(r"<\s*(?:mjml|mj-\w+)\b", re.IGNORECASE),
        "MJML source",
        "Export it as HTML (mjml.io does), and put that here",
    ),
    (
        re.compile(r"\A\s*\{\s*\"[^\"]*\"\s*:.*\}\s*\Z", re.DOTALL),
        "an email builder's design file (JSON)",
        "Export it there as HTML, and put that here",
    ),
    (re.compile(r"\A\s*\{\\rtf"), "a word processor's file (RTF)", "Copy its words, and paste them here"),
    (
        re.compile(r"\A(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*Content-Type:\s*(?:multipart|text)/", re.IGNORECASE),
        "a whole email with its headers",
        "Copy its HTML part, and put that here",
    ),
)
_ADDRESS = re.compile(r"\s*(?:https?://|www\.|\S+@|\S+\.\w{2,}|\{\{)")
MOST_WRITTEN_CHARS = 40_000


@dataclass(frozen=True)
class Written:
    """The resulting HTML, how the text was interpreted, and the problems."""

    html: str
    read_as: str = "HTML"
    problems: tuple[Problem, ...] = ()


def read_source(source: str, blocks: Sequence[Mapping[str, Any]], layout: str) -> Written:
    """Return the HTML that a text, or the blocks of a page, means; problems say where that is uncertain."""
    if blocks and blocks[0]["type"] == "text":
        return _rich(source, blocks[0].get("runs") or (), layout)
    if _has_words(blocks) and source.strip() and not _is_code_of_letter(source):
        detail = "The page has words and a code block, and either could be the letter"
        cure = "Delete the one that is not, or give the code block the caption “html” if it is the letter"
        return Written("", "", (fault("code_or_words", f"{detail}. {cure}."),))
    if blocks and not source.strip():
        typed = read_blocks(blocks)
        return _made(typed.blocks, layout, "words typed on the page", typed.problems)
    return _text(source, layout)


def _has_words(blocks: Sequence[Mapping[str, Any]]) -> bool:
    return any(block.get("runs") or _has_words(block.get("children") or ()) for block in blocks)


def _rich(source: str, runs: Sequence[Mapping[str, Any]], layout: str) -> Written:
    """Return the letter in formatted text; code blocks have no formatting, so it would be lost there."""
    if not (_is_code_of_letter(source) or split_fences(source)[0]):
        kept = read_blocks([{"type": "paragraph", "runs": runs}])
        return _made(read_rich(runs), layout, "words with Notion's formatting", kept.problems)
    written = _text(source, layout)
    lost = next((run for run in runs if run.get("href") and not _ADDRESS.match(str(run["text"]))), None)
    if lost is None:
        return written
    detail = f"The link that Notion has on “{str(lost['text'])[:40]}” is lost, since the body is HTML"
    return replace(written, problems=(*written.problems, warning("bad_link", f"{detail}. Write it as <a href>.")))


def _is_code_of_letter(source: str) -> bool:
    return bool(_is_html(source) or _ESCAPED_TAG.search(source) or any(sign.search(source) for sign, _, _ in _FOREIGN))


def _is_html(source: str) -> bool:
    plain = protect(source).source
    return bool(_TAG.search(plain) or _OPEN_TAG.search(plain))


def _text(source: str, layout: str) -> Written:
    for sign, name, cure in _FOREIGN:
        if sign.search(source):
            return Written("", "", (fault("not_html", f"The body is {name}, which no mailbox can show. {cure}."),))
    found, beside = split_fences(source)
    fences = [fence for fence in found if fence.language in ("html", "")]
    if any(_is_html(fence.inside) for fence in fences):
        return _fenced(fences, beside)
    if _is_html(source):
        return Written(source, "HTML", tuple(_html_problems(source)))
    if _ESCAPED_TAG.search(source):
        return _unescaped(source)
    return _words(source, layout)


def _fenced(fences: Sequence[Fence], beside: str) -> Written:
    if len(fences) > 1 or beside:
        other = f"{len(fences)} fences (```)" if len(fences) > 1 else "a fence (```html) and words beside it"
        detail = f"The body has {other}, and it is not certain which is the letter. Leave only the letter there."
        return Written("", "", (fault("code_or_words", detail),))
    inside = fences[0].inside
    return Written(inside, "HTML in a fence (```html)", tuple(_html_problems(inside)))


def _unescaped(source: str) -> Written:
    """Return HTML whose characters were escaped; certain if all of it is HTML then."""
    plain = source
    for _ in range(2):
        plain = html.unescape(plain) if _ESCAPED_TAG.search(plain) else plain
    if plain.lstrip().startswith("<") and plain.rstrip().endswith(">") and _is_html(plain):
        return Written(plain, "HTML whose signs came as codes (&lt;p&gt;)", tuple(_html_problems(plain)))
    detail = "The body has HTML codes (such as &lt;p&gt;) among words, which readers would see. Type < and > instead"
    return Written("", "", (fault("not_html", f"{detail}, or leave them out."),))


def _html_problems(source: str) -> list[Problem]:
    protected, found = protect(source), []
    words = _shown_words(protected.source)
    if not _BLOCK_TAG.search(protected.source) and "\n" in words.strip():
        detail = "The body is HTML without paragraphs, so that its line breaks are lost. Put <p> around each, or <br>"
        found.append(warning("breaks_lost", f"{detail}; or leave all HTML out, and Funnel makes the letter."))
    if left := _MARKDOWN_LEFT.search(words):
        detail = f"The body is HTML, and “{protected.restored(left[0])[:60]}” in it is Markdown, which readers see"
        found.append(warning("markdown_in_html", f"{detail} as it stands. Write <strong> or <a href>."))
    return found


def _shown_words(source: str) -> str:
    body = LexborHTMLParser(source).body
    return body.text() if body is not None else ""


def _words(source: str, layout: str) -> Written:
    if len(source) > MOST_WRITTEN_CHARS:
        detail = f"The body has {len(source):,} characters of words; a letter may have {MOST_WRITTEN_CHARS:,}."
        return Written("", "", (fault("too_large", detail),))
    found = read_markdown(source)
    problems = [
        warning("bad_link", f'A link goes to "{address[:80]}", which does not start with https://: it was left out.')
        for address in found.refused
    ]
    if found.table:
        detail = "The body has a table in Markdown, of which no email can be made: write its rows as a list."
        problems.append(fault("not_makeable", detail))
    return _made(found.blocks, layout, "plain words" if found.plain else "Markdown", problems)


def _made(blocks: Sequence[Block], layout: str, read_as: str, problems: Sequence[Problem]) -> Written:
    made = letter(blocks, layout) if blocks else ""
    return Written(made, read_as, tuple(dict.fromkeys(problems)))
