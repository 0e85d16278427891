"""How many steps a regular expression takes on a text, counted by walking it as a backtracking engine does.

Python's own engine counts nothing, and a clock says something else on every machine.
"""

import math
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
        self.nodes = parsed(pattern)
        self.groups: dict[int, tuple[int, int]] = {}

    def search(self, most: float = math.inf) -> int:
        """Return the steps of finding every match from left to right; more than `most` are not counted to their end."""
        at = 0
        while at <= len(self.text) and self.steps <= most:
            end = None if self._fails_at_once(self.nodes, at) else next(self._ends(self.nodes, at), None)
            at = at + 1 if end is None or end == at else end
        return self.steps

    def fullmatch(self) -> int:
        """Return the steps of matching the text as a whole, from its beginning."""
        any(end == len(self.text) for end in self._ends(self.nodes, 0))
        return self.steps

    def _ends(self, nodes: list[Node], at: int, first: int = 0) -> Iterator[int]:
        self.steps += 1
        text, many = self.text, len(nodes)
        while first < many and nodes[first][0] in ONE_CHARACTER:
            if at == len(text):
                return
            self.steps += 1
            if not nodes[first][2][text[at]]:
                return
            first, at = first + 1, at + 1
            self.steps += 1
        if first == many:
            yield at
            return
        kind, value = nodes[first]
        ends = self._repeat(kind, value, at) if kind in REPEATS else self._node(kind, value, at)
        if first + 1 < many:
            for middle in ends:
                if not self._fails_at_once(nodes, middle, first + 1):
                    yield from self._ends(nodes, middle, first + 1)
            return
        for end in ends:
            self.steps += 1
            yield end

    def _fails_at_once(self, nodes: list[Node], at: int, first: int = 0) -> bool:
        """Count the steps of `_ends` where the very first character does not fit, as mostly."""
        if first == len(nodes) or nodes[first][0] not in ONE_CHARACTER:
            return False
        ends = at == len(self.text)
        if not ends and nodes[first][2][self.text[at]]:
            return False
        self.steps += 1 if ends else 2
        return True

    def _node(self, kind: object, value: Any, at: int) -> Iterator[int]:
        if kind is op.SUBPATTERN:
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

    def _repeat(self, kind: object, value: tuple[int, int, list[Node]], at: int) -> Iterator[int]:
        least, most, inner = value
        of_one = len(inner) == 1 and inner[0][0] in ONE_CHARACTER
        if kind is op.MIN_REPEAT:
            yield from (self._lazy_of_one if of_one else self._lazy)(inner, least, most, at)
        elif of_one:
            for stop in range(self._run(inner[0][2], most, at), at + least - 1, -1):
                self.steps += 1
                yield stop
                if kind is op.POSSESSIVE_REPEAT:
                    return
        else:
            ends = self._greedy(inner, least, most, at)
            yield from ends if kind is op.MAX_REPEAT else islice(ends, 1)

    def _run(self, fitting: "Fitting", most: int, at: int) -> int:
        """Return where the characters end that fit, of which there are as many as may be."""
        text, end, last = self.text, at, min(len(self.text), at + most)
        while end < last and fitting[text[end]]:
            end += 1
        # The character that ends it was looked at, too.
        self.steps += end - at + (end < last)
        return end

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

    def _lazy_of_one(self, inner: list[Node], least: int, most: int, at: int) -> Iterator[int]:
        """Go the way of `_lazy`, with its steps, where only one character is repeated."""
        for turn in range(min(most, len(self.text)) + 1):
            if turn >= least:
                yield at
            if at == len(self.text):
                self.steps += 1
                return
            if not inner[0][2][self.text[at]]:
                self.steps += 2
                return
            self.steps += 3
            at += 1

    def _looks(self, value: tuple[int, int, list[Node]], at: int) -> bool:
        direction, width, inner = value
        if direction > 0:
            return next(self._ends(inner, at), None) is not None
        return at >= width and any(end == at for end in self._ends(inner, at - width))

    def _stands(self, where: object, at: int) -> bool:
        if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return at == 0 or (bool(self.flags & re.MULTILINE) and self.text[at - 1] == "\n")
        if where in (op.AT_END, op.AT_END_STRING):
            return at == len(self.text)
        sides = [0 <= side < len(self.text) and _is_of_a_word(self.text[side]) for side in (at - 1, at)]
        return (sides[0] != sides[1]) is (where is op.AT_BOUNDARY)


@cache
def _is_of_a_word(character: str) -> bool:
    return re.match(r"\w", character) is not None


class Fitting(dict[str, bool]):
    """Which characters fit a node that stands for one, as far as any was asked about."""

    def __init__(self, node: Node, flags: int) -> None:
        super().__init__()
        self._node, self._flags = node, flags

    def __missing__(self, character: str) -> bool:
        self[character] = found = fits(self._node, character, self._flags)
        return found


@cache
def parsed(pattern: re.Pattern[str]) -> list[Node]:
    """Return a pattern's nodes, those that stand for one character with what fits them."""
    return _plain(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE), pattern.flags)


def _plain(nodes: Iterable[Node], flags: int) -> list[Node]:
    """Return nodes as lists all the way down, which are gone through faster than the parser's own."""
    return [
        (*node, Fitting(node, flags)) if node[0] in ONE_CHARACTER else (node[0], _plain_value(node[0], node[1], flags))
        for node in nodes
    ]


def _plain_value(kind: object, value: Any, flags: int) -> Any:
    if kind in REPEATS:
        return value[0], value[1], _plain(value[2], flags)
    if kind is op.SUBPATTERN:
        return (*value[:3], _plain(value[3], flags))
    if kind is op.BRANCH:
        return value[0], [_plain(branch, flags) for branch in value[1]]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        # How wide what is looked for behind is, the parser's own nodes know.
        return value[0], value[1].getwidth()[0], _plain(value[1], flags)
    return _plain(value, flags) if kind is op.ATOMIC_GROUP else value


ONE_CHARACTER = frozenset({op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN})
REPEATS = frozenset({op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT})


def fits(node: Node, character: str, flags: int = 0) -> bool:
    """Say whether a node that stands for one character stands for this one."""
    kind, value = node[:2]
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
    found = list(_leaves(parsed(pattern)))
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
    for kind, value, *_ in [*nodes, (op.ANY, None)]:
        if kind is op.LITERAL:
            word += chr(value)
            continue
        if word:
            yield "word", word
            word = ""
        if kind in ONE_CHARACTER and (kind, value) != (op.ANY, None):
            yield "node", (kind, value)
        for inner in _inside(kind, value):
            yield from _leaves(inner)


def _inside(kind: object, value: Any) -> list[list[Node]]:
    if kind in REPEATS or kind in (op.ASSERT, op.ASSERT_NOT):
        return [value[2]]
    if kind is op.SUBPATTERN:
        return [value[3]]
    if kind is op.BRANCH:
        return list(value[1])
    return [value] if kind is op.ATOMIC_GROUP else []
