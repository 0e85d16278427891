"""Size and colour: words on a page of no size, or in the colour of their background."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError
from tinycss2.color4 import parse_color

from funnel_app.letters.styles.stylesheet import Declaration, Group, Rule, declarations_in, read_sheet

Colour = tuple[float, float, float]

BLACK, WHITE, LINK = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.93)
# Colours nearer than this in RGB are indistinguishable.
ALIKE = 0.03
TRANSPARENT, SOLID = 0.1, 0.95
# At this size text is a dot: preheaders are hidden so.
DOT_PX = 1.0
MOST_SELECTORS = 200

# Properties that determine how text looks; of two for the same, the later counts.
_LOOKS = {
    "color": "colour",
    "background": "behind",
    "background-color": "behind",
    "background-image": "behind",
    "font": "size",
    "font-size": "size",
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(px|pt|em|rem|%)?\Z")
# Properties that show text other than by its colour.
_OTHER_WAYS = ("text-shadow", "background-clip", "text-fill-color", "blend-mode")
# Colours that depend on the mail program.
_UNKNOWN = ("url(", "gradient(", "var(", "light-dark(", "color-mix(")
_SELDOM = re.compile(r"prefers-color-scheme|print|:hover|:active|:focus|:visited|\[data-og", re.IGNORECASE)


@dataclass(frozen=True)
class _Own:
    """What an element itself declares; None is nothing."""

    colour: tuple[Colour, float] | None = None
    behind: tuple[Colour, float] | None = None
    size: tuple[float, str] | None = None


@dataclass(frozen=True)
class _Look:
    """How an element renders its text; None is an unknown colour."""

    colour: Colour | None = BLACK
    behind: Colour | None = WHITE
    sized: bool = True

    @property
    def shows(self) -> bool:
        """Whether its text is readable."""
        if not self.sized or self.colour is None or self.behind is None:
            return self.sized
        return any(abs(one - other) > ALIKE for one, other in zip(self.colour, self.behind, strict=True))

    def within(self, own: _Own | None) -> "_Look":
        """Return how a child element renders; None if uncertain."""
        if own is None:
            return _Look(None, None)
        if own is NOTHING:
            return self
        behind = _laid(own.behind, over=self.behind)
        colour = self.colour if own.colour is None else _laid(own.colour, over=behind)
        return _Look(colour, behind, self.sized if own.size is None else _is_read(own.size, self.sized))


NOTHING = _Own()


def unreadable_words(page: LexborHTMLParser) -> list[LexborNode]:
    """Return the texts of a page that are unreadable by size or colour; uncertain ones count as readable."""
    changed = _changed_in_head(page)
    if changed is None or page.root is None:
        return []
    found: list[LexborNode] = []
    waiting = [(page.root, _Look())]
    while waiting:
        node, above = waiting.pop()
        look = above.within(None if node.mem_id in changed else _own(node))
        for child in node.iter(include_text=True):
            if not child.is_text_node:
                waiting.append((child, look))
            elif not look.shows:
                found.append(child)
    return found


def _own(node: LexborNode) -> _Own | None:
    given = node.attributes
    if not given:
        return NOTHING
    if "background" in given:
        return None
    ink = given.get("color") if node.tag == "font" else given.get("text") if node.tag == "body" else ""
    return _said(given.get("style") or "", ink or "", given.get("bgcolor") or "", node.tag == "a" and "href" in given)


@lru_cache(4096)
def _said(style: str, ink: str, ground: str, is_link: bool) -> _Own | None:
    """Return what attributes declare of an element's looks; None if uncertain."""
    declared = declarations_in(style)
    if (style.strip() and not declared) or any(map(_is_elsewhere, declared)):
        return None
    last = {_LOOKS[each.name]: each.value for each in declared if each.name in _LOOKS}
    colour = _colour(last.get("colour", ink))
    if is_link and "colour" not in last:
        colour = LINK, 1.0
    own = _Own(colour, _colour(last.get("behind", ground)), _size(last.get("size", "")))
    return NOTHING if own == NOTHING else own


def _is_elsewhere(declared: Declaration) -> bool:
    """Say whether text may be over something other than its own element, or be shown by something else."""
    name, value = declared.name, declared.value.lower()
    moved = (name == "position" and value in ("absolute", "fixed")) or (name.startswith("margin") and "-" in value)
    return moved or name.endswith(_OTHER_WAYS) or any(words in value for words in _UNKNOWN)


def _colour(value: str) -> tuple[Colour, float] | None:
    """Return the colour in a value, and its opacity; None if it names none."""
    for word in (value, *value.split()):
        found = parse_color(word)
        if found is not None and found != "currentcolor":
            red, green, blue, alpha = found.to("srgb")
            return (red, green, blue), alpha
    return None


def _size(value: str) -> tuple[float, str] | None:
    for word in value.split():
        found = _SIZE.match(word.split("/")[0])
        if found and (found[2] or not float(found[1])):
            return float(found[1]), found[2] or "px"
    return None


def _laid(top: tuple[Colour, float] | None, *, over: Colour | None) -> Colour | None:
    """Return the visible result of one colour over another."""
    if top is None or top[1] <= TRANSPARENT:
        return over
    return top[0] if top[1] >= SOLID else None


def _is_read(size: tuple[float, str], within: bool) -> bool:
    """Say whether text of a size is readable, within a readable or unreadable element."""
    number, unit = size
    return (within and number > 0) if unit in ("em", "%") else number > (0 if unit == "rem" else DOT_PX)


def _changed_in_head(page: LexborHTMLParser) -> set[int] | None:
    """Return the elements whose looks the head changes; None if that is too much to compute."""
    selectors = [each for style in page.css("style") for each in _changing(style.text())]
    if len(selectors) > MOST_SELECTORS:
        return None
    return {node.mem_id for selector in selectors for node in _matched(page, selector)}


def _matched(page: LexborHTMLParser, selector: str) -> list[LexborNode]:
    try:
        return page.css(selector)
    except SelectolaxError:
        return []


@lru_cache(32)
def _changing(css: str) -> tuple[str, ...]:
    """Return the selectors of a sheet's rules about looks, except for dark mode, print and temporary states."""
    try:
        return tuple(dict.fromkeys(_selectors(read_sheet(css))))
    except ValueError:
        return ()


def _selectors(rules: Iterable[Rule | Group]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, Group):
            yield from () if _SELDOM.search(rule.head) else _selectors(rule.rules)
        elif not rule.declarations or any(each.name in _LOOKS for each in rule.declarations):
            yield from (each.text for each in rule.selectors if not _SELDOM.search(each.text))
