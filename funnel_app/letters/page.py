"""What a reader gets to see of an HTML page."""

from dataclasses import dataclass
from html.parser import HTMLParser

_UNSEEN = {"style", "script", "title"}
_WITHIN_A_WORD = {"a", "b", "code", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u", "wbr"}


@dataclass(frozen=True)
class Page:
    """The text, link targets and images of a page; an image's alt text is None where it has none, its source empty."""

    text: str
    links: tuple[str, ...]
    images: tuple[str | None, ...]
    sources: tuple[str, ...]


def read(html: str) -> Page:
    """Read a page, however broken its HTML."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(reader.text(), tuple(reader.links), tuple(reader.images), tuple(reader.sources))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.images: list[str | None] = []
        self.sources: list[str] = []
        self._words: list[str] = []
        self._unseen: str | None = None

    def text(self) -> str:
        return "".join(self._words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("a", "area") and "href" in given:
            self.links.append((given["href"] or "").strip())
        if tag == "img":
            self.images.append(given.get("alt"))
            self.sources.append((given.get("src") or "").strip())
        if tag in _UNSEEN and self._unseen is None:
            self._unseen = tag
        self._part_words(tag)

    def handle_endtag(self, tag: str) -> None:
        self._part_words(tag)
        if tag == self._unseen:
            self._unseen = None

    def handle_data(self, data: str) -> None:
        if self._unseen is None:
            self._words.append(data)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        # Python 3.11's own raises on sections that it does not know, such as "<![foo]>".
        return self.rawdata.find(">", i) + 1 or -1

    def _part_words(self, tag: str) -> None:
        if tag not in _WITHIN_A_WORD:
            self._words.append("\n")
