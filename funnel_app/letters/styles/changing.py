"""Changing elements, which an inliner does not see: a class is chosen for each lead, or only Outlook reads them."""

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from funnel_app.letters.styles.stylesheet import Selector
from funnel_app.letters.tags import MARK, START_TAG, Protected

_COMMENTED = re.compile(r"<!--\[if(.*?)(?:<!\[endif\]-->|\Z)", re.DOTALL | re.IGNORECASE)
_CLASS = re.compile(r"\b(?:class|id)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HALF_A_NAME = re.compile(rf"[\w-](?:{MARK.pattern})+[\w-]")
_MAY_CHOOSE = re.compile(rf"{MARK.pattern}|class$|id$", re.IGNORECASE)
_TAG = re.compile(r"<?([A-Za-z][\w-]*)")


class Changing:
    """The elements with classes and ids chosen for each lead, and which names; None is any."""

    def __init__(self, protected: Protected, page: LexborHTMLParser) -> None:
        found = ((node, _chosen(_start_of(node), protected)) for node in page.css("*"))
        self._elements = [(node.mem_id, node.tag, chosen) for node, chosen in found if chosen is None or chosen]

    def may_be(self, selector: Selector) -> bool:
        """Say whether a selector uses such a name."""
        names = selector.names
        return any(bool(names) if chosen is None else names & chosen for _, _, chosen in self._elements)

    def elements(self, last: Selector) -> frozenset[int]:
        """Return the elements that the last part of a selector may match."""
        tag = _TAG.match(last.text)
        fitting = (each for each in self._elements if tag is None or tag[1].lower() == each[1])
        return frozenset(element for element, _, chosen in fitting if chosen is None or last.names & chosen)


@dataclass(frozen=True)
class Commented:
    """Elements in comments that only Outlook reads: they are not inlined, and Outlook reads the head."""

    tags: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, source: str) -> "Commented":
        """Return the elements in a page's conditional comments."""
        starts = [start for comment in _COMMENTED.findall(source) for start in START_TAG.findall(comment)]
        names = {name for start in starts for value in _values(start) for name in value.split()}
        return cls(frozenset(_TAG.findall(start)[0].lower() for start in starts), frozenset(names))

    def may_be(self, selector: Selector) -> bool:
        """Say whether a selector may match one of the elements."""
        tag = _TAG.match(selector.subject.text)
        fits = tag is None or tag[1].lower() in self.tags
        return bool(self.tags) and selector.subject.names <= self.names and fits


def _values(start: str) -> list[str]:
    return [value.strip("\"'") for value in _CLASS.findall(start)]


def _chosen(start: str, protected: Protected) -> set[str] | None:
    """Return the names that a start tag's blocks choose from; None if a value or part of a name is inserted."""
    names: set[str] = set()
    in_a_block = bool(MARK.search(_QUOTED.sub("", start)))
    for value in _values(start):
        marks = MARK.findall(value)
        if _HALF_A_NAME.search(value) or not all(protected.is_block(mark) for mark in marks):
            return None
        names |= set(MARK.sub(" ", value).split()) if marks or in_a_block else set()
    return names


def _start_of(node: LexborNode) -> str:
    """Return the attributes that may choose a class, as a start tag; empty if they contain no tag."""
    written = " ".join(f'{name}="{value or ""}"' for name, value in node.attributes.items() if _MAY_CHOOSE.search(name))
    return f"<x {written}>" if MARK.search(written) else ""
