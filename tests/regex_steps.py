"""How many steps a regular expression takes on a text, counted by walking it as a backtracking engine does.

Python's own engine counts nothing, and a clock says something else on every machine.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice, product
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Node = tuple[Any, ...]
CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
SAMPLES = "a0 -.,:;/@_=#<>{}%()[]\"'\n\u200b\ue000\ue001\xa0A+&!~"
MOST_PUMPS = 16


class Walk:
    """One pattern on one text: every step of matching it, failures included, counts."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.text, self.flags, self.steps = text, pattern.flags, 0
        self.nodes, self.fitting = parsed(pattern)
        self.groups: dict[int, tuple[int, int]] = {}

    def search(self) -> int:
        """Return the steps of finding every match from left to right."""
        at = 0
        while at <= len(self.text):
            end = next(self._ends(self.nodes, at), None)
            at = at + 1 if end is None or end == at else end
        return self.steps

    def fullmatch(self) -> int:
        """Return the steps of matching the text as a whole, from its beginning."""
        any(end == len(self.text) for end in self._ends(self.nodes, 0))
        return self.steps

    def _ends(self, nodes: list[Node], at: int) -> Iterator[int]:
        self.steps += 1
        while nodes and nodes[0][0] in ONE_CHARACTER:
            if at == len(self.text) or not self._is(nodes[0], self.text[at]):
                return
            nodes, at = nodes[1:], at + 1
            self.steps += 1
        if not nodes:
            yield at
            return
        rest = nodes[1:]
        for middle in self._node(nodes[0], at):
            yield from self._ends(rest, middle)

    def _fails_at_once(self, nodes: list[Node], at: int) -> bool:
        """Count the steps of `_ends` where the very first character does not fit, as mostly in a list of words."""
        if not nodes or nodes[0][0] not in ONE_CHARACTER:
            return False
        ends = at == len(self.text)
        if not ends and self._would_be(nodes[0], self.text[at]):
            return False
        self.steps += 1 if ends else 2
        return True

    def _node(self, node: Node, at: int) -> Iterator[int]:
        kind, value = node
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, most, inner = value
            yield from self._repeat(kind, least, most, inner, at)
        elif kind is op.SUBPATTERN:
            for end in self._ends(value[3], at):
                self.groups[value[0]] = (at, end)
                yield end
        elif kind is op.BRANCH:
            for branch in value[1]:
                if not self._fails_at_once(branch, at):
                    yield from self._ends(branch, at)
        elif kind is op.ATOMIC_GROUP:
            yield from islice(self._ends(value, at), 1)
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            if self._looks(value, at) is (kind is op.ASSERT):
                yield at
        elif kind is op.GROUPREF:
            start, end = self.groups.get(value, (at, at))
            self.steps += end - start
            if self.text.startswith(self.text[start:end], at):
                yield at + end - start
        elif kind is op.AT and self._stands(value, at):
            yield at

    def _repeat(self, kind: object, least: int, most: int, inner: list[Node], at: int) -> Iterator[int]:
        if kind is op.MIN_REPEAT:
            yield from self._lazy(inner, least, most, at)
        elif len(inner) == 1 and inner[0][0] in ONE_CHARACTER:
            end = at
            while end - at < most and end < len(self.text) and self._is(inner[0], self.text[end]):
                end += 1
            for stop in range(end, at + least - 1, -1):
                self.steps += 1
                yield stop
                if kind is op.POSSESSIVE_REPEAT:
                    return
        else:
            ends = self._greedy(inner, least, most, at)
            yield from ends if kind is op.MAX_REPEAT else islice(ends, 1)

    def _greedy(self, inner: list[Node], least: int, most: int, at: int) -> Iterator[int]:
        self.steps += 1
        if most > 0:
            for end in self._ends(inner, at):
                if end > at:
                    yield from self._greedy(inner, max(least - 1, 0), most - 1, end)
        if least == 0:
            yield at

    def _lazy(self, inner: list[Node], least: int, most: int, at: int) -> Iterator[int]:
        reached = [at]
        for turn in range(min(most, len(self.text)) + 1):
            if turn >= least:
                yield from reached
            reached = [end for start in reached for end in self._ends(inner, start)]
            if not reached:
                return

    def _looks(self, value: tuple[int, list[Node]], at: int) -> bool:
        direction, inner = value
        if direction > 0:
            return next(self._ends(list(inner), at), None) is not None
        width = inner.getwidth()[0]  # type: ignore[attr-defined]
        return at >= width and any(end == at for end in self._ends(list(inner), at - width))

    def _stands(self, where: object, at: int) -> bool:
        if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return at == 0 or (bool(self.flags & re.MULTILINE) and self.text[at - 1] == "\n")
        if where in (op.AT_END, op.AT_END_STRING):
            return at == len(self.text)
        sides = [0 <= side < len(self.text) and bool(re.match(r"\w", self.text[side])) for side in (at - 1, at)]
        return (sides[0] != sides[1]) is (where is op.AT_BOUNDARY)

    def _is(self, node: Node, character: str) -> bool:
        self.steps += 1
        return self._would_be(node, character)

    def _would_be(self, node: Node, character: str) -> bool:
        asked = (id(node), character)
        known = self.fitting.get(asked)
        if known is None:
            known = self.fitting[asked] = fits(node, character, self.flags)
        return known


@cache
def parsed(pattern: re.Pattern[str]) -> tuple[list[Node], dict[tuple[int, str], bool]]:
    """Return a pattern's nodes, and what was found of the characters that fit them."""
    return _plain(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)), {}


def _plain(nodes: Iterable[Node]) -> list[Node]:
    """Return nodes as lists all the way down, which are gone through faster than the parser's own."""
    return [(kind, _plain_value(kind, value)) for kind, value in nodes]


def _plain_value(kind: object, value: Any) -> Any:
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return value[0], value[1], _plain(value[2])
    if kind is op.SUBPATTERN:
        return (*value[:3], _plain(value[3]))
    if kind is op.BRANCH:
        return value[0], [_plain(branch) for branch in value[1]]
    # What is looked for behind has a width that only the parser's own knows.
    return _plain(value) if kind is op.ATOMIC_GROUP else value


ONE_CHARACTER = frozenset({op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN})


def fits(node: Node, character: str, flags: int = 0) -> bool:
    """Say whether a node that stands for one character stands for this one."""
    kind, value = node
    if flags & re.IGNORECASE:
        return fits(node, character.lower()) or fits(node, character.upper())
    if kind is op.ANY:
        return character != "\n" or bool(flags & re.DOTALL)
    if kind is op.IN:
        negated = value[0][0] is op.NEGATE
        return any(_in_class(part, character) for part in value[negated:]) is not negated
    return (ord(character) == value) is (kind is op.LITERAL)


def _in_class(part: Node, character: str) -> bool:
    kind, value = part
    if kind is op.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    if kind is op.CATEGORY:
        return re.match(CATEGORIES[value], character) is not None
    return bool(ord(character) == value)


def pumps(pattern: re.Pattern[str]) -> list[str]:
    """Return short texts whose repetition is hard on a pattern: its own words, and one of each kind of character."""
    found = list(_leaves(parsed(pattern)[0]))
    words = [text for kind, text in found if kind == "word"]
    nodes = [node for kind, node in found if kind == "node"]
    kinds: dict[tuple[bool, ...], str] = {}
    for character in SAMPLES:
        kinds.setdefault(tuple(fits(node, character, pattern.flags) for node in nodes), character)
    single = list(dict.fromkeys([*words, *kinds.values()]))
    pairs = ["".join(pair) for pair in product(single, single) if pair[0] != pair[1]]
    return [*single, *pairs[:: max(len(pairs) // MOST_PUMPS, 1)]]


def _leaves(nodes: list[Node]) -> Iterator[tuple[str, Any]]:
    word = ""
    for kind, value in [*nodes, (op.ANY, None)]:
        if kind is op.LITERAL:
            word += chr(value)
            continue
        if word:
            yield "word", word
            word = ""
        if kind in ONE_CHARACTER and (kind, value) != (op.ANY, None):
            yield "node", (kind, value)
        for inner in _inside(kind, value):
            yield from _leaves(list(inner))


def _inside(kind: object, value: Any) -> list[Any]:
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is op.SUBPATTERN:
        return [value[3]]
    if kind is op.BRANCH:
        return list(value[1])
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [value[1]]
    return [value] if kind is op.ATOMIC_GROUP else []
