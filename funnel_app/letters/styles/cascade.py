"""Cascade: which declaration wins between inlined styles and those in the head, as in a browser."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from funnel_app.letters.styles.changing import Changing, Commented
from funnel_app.letters.styles.stylesheet import Declaration, Group, Rule, Selector, Sheet, declarations_in
from funnel_app.letters.tags import MARK, Protected

# Beyond this, which takes half a second, everything that stays counts as the stronger one.
MOST_COMPARED = 1_000_000

_STYLE = re.compile(f"(?:{MARK.pattern})?style")

_Rank = tuple[bool, bool, tuple[int, int, int], int]


@dataclass(frozen=True, eq=False)
class Claim:
    """One declaration of a selector or a style attribute, and the elements that it applies to."""

    selector: str | None
    style: str | None
    declared: Declaration
    elements: frozenset[int]
    rank: _Rank

    def beats(self, other: "Claim") -> frozenset[int]:
        """Return the elements on which this one wins over the other."""
        if self.rank <= other.rank or not _clash(self.declared.name, other.declared.name):
            return frozenset()
        return self.elements & other.elements


class Page:
    """The elements of a page, by the selectors that match them."""

    def __init__(self, protected: Protected) -> None:
        self.parsed = LexborHTMLParser(protected.source)
        self._changing = Changing(protected, self.parsed)
        self._commented = Commented.of(protected.source)
        self._found: dict[str, frozenset[int]] = {}

    def matched(self, selector: str) -> frozenset[int]:
        """Return the elements that a selector matches; none if it is invalid."""
        if selector not in self._found:
            try:
                self._found[selector] = frozenset(node.mem_id for node in self.parsed.css(selector))
            except SelectolaxError:
                self._found[selector] = frozenset()
        return self._found[selector]

    def is_inlined(self, selector: Selector) -> bool:
        """Say whether a rule with this selector is inlined into any element."""
        return selector.is_plain and bool(self.matched(selector.text))

    def is_wanted(self, selector: Selector) -> bool:
        """Say whether a selector matches something that inlining does not reach, besides Outlook's comments."""
        return not self.is_inlined(selector) or self._changing.may_be(selector)

    def stays(self, selector: Selector) -> bool:
        """Say whether a rule with this selector must be in the head."""
        return self.is_wanted(selector) or self._commented.may_be(selector)

    def subjects(self, selector: Selector) -> frozenset[int]:
        """Return the elements that a selector may match: if unknown, all that its last part fits."""
        found = self.matched(selector.lasting)
        last = selector.subject
        if self._changing.may_be(selector):
            found |= self._changing.elements(last) if last.names else self.matched(last.text)
        return found or self.matched(last.text)


class Cascade:
    """All declarations of a page: one that stays in the head becomes `!important` if it wins over an inlined one."""

    def __init__(self, page: Page, inlined: Iterable[Sheet], held: Iterable[Sheet]) -> None:
        self._page = page
        self._inline: dict[str, list[Claim]] = defaultdict(list)
        self._kept: dict[str, list[Claim]] = defaultdict(list)
        self._claims: dict[tuple[Rule, Selector, str], Claim] = {}
        self._places: dict[Rule, int] = {}
        self._compared = 0
        self.firm: set[Claim] = set()
        for claim in _own_styles(page):
            self._inline[_family(claim.declared.name)].append(claim)
        for sheets, are_held in ((inlined, False), (held, True)):
            for sheet in sheets:
                self._take(sheet, held=are_held)

    def needs_strength(self, rule: Rule, selector: Selector, declared: Declaration) -> bool:
        """Say whether a declaration that stays wins anywhere; where it must not win, the stronger one becomes firm."""
        claim, family = self._claims[rule, selector, declared.name], _family(declared.name)
        self._compared += len(self._inline[family])
        if self._compared > MOST_COMPARED:
            return True
        rivals = [each for each in self._inline[family] if each.beats(claim)]
        lost = frozenset[int]().union(*(each.beats(claim) for each in rivals))
        if not claim.elements - lost or self._would_win_too_much(claim):
            return False
        if not any(self._may_not_be_firm(each, claim) for each in rivals):
            self.firm |= {each for each in rivals if not each.declared.important}
        return True

    def _would_win_too_much(self, claim: Claim) -> bool:
        """Say whether a claim, once important, would win over an important one in the head."""
        family = self._kept[_family(claim.declared.name)]
        strong = Claim(claim.selector, None, claim.declared, claim.elements, (True, *claim.rank[1:]))
        return any(each.declared.important and each.beats(claim) and strong.beats(each) for each in family)

    def _may_not_be_firm(self, rival: Claim, claim: Claim) -> bool:
        kept, inline = (claims[_family(rival.declared.name)] for claims in (self._kept, self._inline))
        self._compared += len(kept) + len(inline)
        over_kept = any(each.beats(rival) for each in kept)
        return over_kept or any(each.beats(rival) - claim.elements for each in inline)

    def _take(self, rules: Sheet, *, held: bool) -> None:
        for rule in rules:
            if isinstance(rule, Group):
                self._take(rule.rules, held=True)
                continue
            self._places[rule] = len(self._places)
            for selector in rule.selectors:
                for declared in rule.declarations:
                    self._claim(rule, selector, declared, held=held)

    def _claim(self, rule: Rule, selector: Selector, declared: Declaration, *, held: bool) -> None:
        rank = (declared.important, False, selector.specificity, self._places[rule])
        family = _family(declared.name)
        if not held and self._page.is_inlined(selector):
            matched = self._page.matched(selector.text)
            self._inline[family].append(Claim(selector.text, None, declared, matched, rank))
        if held or self._page.stays(selector):
            claim = Claim(selector.text, None, declared, self._page.subjects(selector), rank)
            self._kept[family].append(claim)
            self._claims[rule, selector, declared.name] = claim


def _own_styles(page: Page) -> Iterator[Claim]:
    """Yield a claim per declaration of each style attribute, once for all elements with the same one."""
    elements: dict[str, set[int]] = defaultdict(set)
    for node in page.parsed.css("*"):
        for name, value in node.attributes.items():
            # The name has a mark before it if the attribute is inside an {% if %}.
            if value and _STYLE.fullmatch(name):
                elements[value].add(node.mem_id)
    for style, having in elements.items():
        for declared in declarations_in(style):
            yield Claim(None, style, declared, frozenset(having), (declared.important, True, (0, 0, 0), 0))


def _family(name: str) -> str:
    return name.split("-", 1)[0]


def _clash(one: str, other: str) -> bool:
    """Say whether two properties set the same thing, as padding and padding-left do."""
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")
