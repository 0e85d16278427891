"""Page: what a reader sees of an HTML page before it is filled in."""

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

_UNSEEN = ["style", "script", "title"]
_WITHIN_A_WORD = {"a", "b", "code", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u", "wbr"}


@dataclass(frozen=True)
class Page:
    """The text, link targets and images of a page; an image's alt text is None if missing, its source empty."""

    text: str
    links: tuple[str, ...]
    images: tuple[str | None, ...]
    sources: tuple[str, ...]


def read(html: str) -> Page:
    """Parse a page like a browser, however broken its HTML."""
    page = LexborHTMLParser(html)
    page.strip_tags(_UNSEEN)
    images = [node.attributes for node in page.css("img")]
    backgrounds = [_value(node, "background") for node in page.css("[background]")]
    return Page(
        "".join(_words(page.root)),
        tuple(_value(node, "href") for node in page.css("a[href],area[href]")),
        tuple((given["alt"] or "") if "alt" in given else None for given in images),
        (*((given.get("src") or "").strip() for given in images), *(each for each in backgrounds if each)),
    )


def _words(root: LexborNode | None) -> Iterator[str]:
    """Yield a page's text, with line ends around block elements."""
    waiting: list[LexborNode | str] = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif node.is_text_node:
            yield node.text_content or ""
        else:
            around = [] if node.tag in _WITHIN_A_WORD else ["\n"]
            waiting += [*around, *reversed(list(node.iter(include_text=True))), *around]


def _value(node: LexborNode, name: str) -> str:
    return (node.attributes.get(name) or "").strip()
