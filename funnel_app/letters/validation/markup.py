"""Broken markup: curly quotes around attributes, unclosed quotes and comments that swallow what comes after them."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from funnel_app.letters.limits import MOST_NESTED
from funnel_app.letters.problem import Problem, fault
from funnel_app.letters.tags import Protected, protect

_TAG_LIKE = re.compile(r"<(?:/?[A-Za-z][\w:-]*[\s/>]|!--)")
_BAD_END = re.compile(r"[–—―]+\s*>|<!--|(?<!-)->")
_CURLY = re.compile(r"""=\s*([“”„‟‘’‚‛«»″′])[^<>]*""")
_STRAIGHT_STRING = re.compile(r"\"[^\"<>]*\"|'[^'<>]*'")
# A sign that is written as a reference begins no tag: https://html.spec.whatwg.org/multipage/syntax.html#character-references
_WRITTEN_SIGN = re.compile(r"&(?:lt|#0*60|#x0*3c)\b;?", re.IGNORECASE)
_START_TAG = re.compile(r"<[A-Za-z][^<>]*>?")


def broken_markup(html: str) -> Iterator[Problem]:
    """Yield a problem per thing that swallows words, hides a tag or breaks a link, with its position."""
    protected = protect(html)
    if curly := _curly_attribute(protected):
        detail = f"The body has curly quotes around an attribute's value: {curly}. Type them again as straight quotes."
        yield fault("curly_quotes", detail)
        return
    page = LexborHTMLParser(_WRITTEN_SIGN.sub("‹", protected.source))
    if _depth(page) > MOST_NESTED:
        yield fault("too_deep", f"The body has more than {MOST_NESTED} elements within each other.")
        return
    yield from _swallowed(protected, page)


def _curly_attribute(protected: Protected) -> str | None:
    for start in _START_TAG.finditer(protected.source):
        if found := _CURLY.search(_STRAIGHT_STRING.sub("", start[0])):
            return _short(protected, found[0])
    return None


def _depth(page: LexborHTMLParser) -> int:
    """Return the nesting depth, at most one more than the limit."""
    selector = " > ".join(["*"] * (MOST_NESTED + 1))
    return MOST_NESTED + 1 if page.css_first(selector) is not None else 0


def _swallowed(protected: Protected, page: LexborHTMLParser) -> Iterator[Problem]:
    root = page.root
    for node in root.traverse(include_text=False) if root is not None else ():
        for name, value in node.attributes.items():
            if _TAG_LIKE.search(value or "") or "<" in name:
                detail = (
                    f'The attribute "{_short(protected, name)}" has no closing quote and swallows the words after it'
                )
                yield fault("unclosed", f"{detail}: {_short(protected, value or '')}")
                return
    yield from _comments(protected, page)


def _comments(protected: Protected, page: LexborHTMLParser) -> Iterator[Problem]:
    source = protected.source
    at = source.find("<!--")
    while at >= 0:
        end = source.find("-->", at + 2)
        inside = source[at + 4 : end if end >= 0 else len(source)]
        if end < 0 or (not inside.lstrip().startswith("[if") and _ends_within(inside)):
            detail = f"A comment has no end and swallows the words after it: <!--{_short(protected, inside)}"
            yield fault("unclosed", f"{detail}. It ends with two hyphens and >, typed plainly.")
            return
        at = source.find("<!--", end + 3)


def _ends_within(comment: str) -> bool:
    """Say whether a comment was meant to end earlier, since elements follow something like its end."""
    meant = _BAD_END.search(comment)
    return meant is not None and bool(_TAG_LIKE.search(comment, meant.start()))


def _short(protected: Protected, text: str) -> str:
    line = " ".join(protected.restored(text).split())
    return line if len(line) <= 60 else f"{line[:58]}…"
