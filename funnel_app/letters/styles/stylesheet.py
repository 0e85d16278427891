"""Style sheets, parsed as far as inlining needs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import tinycss2

_BRACKETS = re.compile(r"\[[^\]]*(?:\]|\Z)|\([^)]*(?:\)|\Z)")
_NAMES = re.compile(r"([.#]?)(-?[A-Za-z_\ue000-\ue0ff][\w\ue000-\ue0ff-]*)")
_PSEUDO = re.compile(r"::?[\w-]+(?:\([^)]*\))?")
# Pseudo-classes of temporary states and pseudo-elements.
_PASSING = re.compile(
    r"::[\w-]+|:(?:hover|active|focus(?:-\w+)?|visited|(?:any-)?link|target|checked|before|after|first-l\w+)\b"
)
# tinycss2's errors for what it cannot serialise.
_UNWRITABLE = (TypeError, RecursionError)
# A sheet takes some sixty times its length: what is kept of large ones would be lacking to judge the next letter.
MOST_KEPT_CHARS = 20_000
_CONDITIONS = {"media", "supports", "layer", "container"}


@dataclass(frozen=True)
class Selector:
    """One selector of a rule."""

    text: str

    @cached_property
    def is_plain(self) -> bool:
        """Whether it matches independently of temporary states: those are inlined."""
        return ":" not in _BRACKETS.sub("", self.text)

    @cached_property
    def lasting(self) -> str:
        """The selector without temporary states."""
        return _PASSING.sub("", self.text).strip() or "*"

    @cached_property
    def specificity(self) -> tuple[int, int, int]:
        """Its specificity: ids; classes, attributes and pseudo-classes; elements (CSS Selectors level 4, § 17)."""
        kinds = [sign for sign, _ in _NAMES.findall(_PSEUDO.sub("", _BRACKETS.sub("", self.text)))]
        elements = self.text.count("::")
        others = kinds.count(".") + self.text.count("[") + len(_PSEUDO.findall(self.text)) - elements
        return kinds.count("#"), others, kinds.count("") + elements

    @cached_property
    def names(self) -> frozenset[str]:
        """The classes and ids in it."""
        return frozenset(name for sign, name in _NAMES.findall(_BRACKETS.sub("", self.text)) if sign)

    @cached_property
    def subject(self) -> "Selector":
        """Its last part, about the element itself."""
        return Selector(re.split(r"[\s>+~]+", self.lasting)[-1] or "*")


@dataclass(frozen=True)
class Declaration:
    """One property with its value."""

    name: str
    value: str
    important: bool

    def written(self, *, important: bool) -> str:
        """Return it as CSS."""
        return f"{self.name}:{self.value}{' !important' if self.important or important else ''}"


@dataclass(frozen=True, eq=False)
class Rule:
    """Selectors and declarations; without declarations it is CSS that passes through unchanged."""

    source: str
    selectors: tuple[Selector, ...] = ()
    declarations: tuple[Declaration, ...] = ()


@dataclass(frozen=True)
class Group:
    """Rules under one condition, as in @media."""

    head: str
    rules: tuple["Rule | Group", ...]


Sheet = tuple[Rule | Group, ...]


def read_sheet(css: str) -> Sheet:
    """Return the rules of a sheet in order; raises ValueError if it cannot be serialised unchanged.

    A season's letters have the same sheet, so each is parsed once; but a rule is one of its own page, whichever sheet
    it stands in.
    """
    try:
        return _own_rules(_kept(css)) if len(css) <= MOST_KEPT_CHARS else _parsed(css)
    except _UNWRITABLE as error:
        raise ValueError("it has something that is no CSS, or too many braces within each other") from error


def _parsed(css: str) -> Sheet:
    return tuple(_rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)))


_kept = lru_cache(4)(_parsed)


def _own_rules(sheet: Sheet) -> Sheet:
    return tuple(
        replace(each) if isinstance(each, Rule) else replace(each, rules=_own_rules(each.rules)) for each in sheet
    )


def declarations_in(css: str | list[tinycss2.ast.Node]) -> tuple[Declaration, ...]:
    """Return a rule's declarations; none if it has a hack for old browsers, which passes through unchanged."""
    nodes = tinycss2.parse_blocks_contents(css, skip_comments=True, skip_whitespace=True)
    if any(node.type != "declaration" for node in nodes):
        return ()
    try:
        values = [tinycss2.serialize(node.value).strip() for node in nodes]
    except _UNWRITABLE:
        return ()
    return tuple(Declaration(node.lower_name, value, node.important) for node, value in zip(nodes, values, strict=True))


def _rules(nodes: Sequence[tinycss2.ast.Node]) -> Iterator[Rule | Group]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield Rule(node.serialize(), _selectors(node.prelude), declarations_in(node.content))
        elif node.type == "at-rule" and node.content is not None and node.lower_at_keyword in _CONDITIONS:
            inside = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            yield Group(f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}".strip(), tuple(_rules(inside)))
        elif node.type == "at-rule":
            yield Rule(node.serialize())


def _selectors(prelude: Sequence[tinycss2.ast.Node]) -> tuple[Selector, ...]:
    parts: list[list[tinycss2.ast.Node]] = [[]]
    for node in prelude:
        if node == ",":
            parts.append([])
        elif node.type != "comment":
            parts[-1].append(node)
    return tuple(Selector(" ".join(tinycss2.serialize(part).split())) for part in parts)
