"""No regular expression of ours takes more than linear time, whatever a stranger feeds it."""

import ast
import importlib
import math
import re
import sys

import pytest

from tests.regex_steps import Walk, pumps
from tests.test_guards import PYTHON, ROOT

FILES = [name for name in PYTHON if name.startswith(("funnel_app/", "jobs/"))]
FROM_ITS_BEGINNING = {"match", "fullmatch"}
# Lengths as times of a short text. What grows more than linearly at first may have a bound that is further away.
SPANS = ((8, 32), (128, 512))
# Four times the length: about 4 for a linear pattern, 16 for a quadratic one; a few steps more for small bounds.
MOST_GROWTH, MORE = 7, 200


def patterns(room: str) -> dict[str, tuple[re.Pattern[str], bool]]:
    """Return every pattern of a room by its place, and whether it is only ever used from a text's beginning."""
    by_pattern = {found: place for name in FILES if room_of(name) == room for place, found in _patterns_of(name)}
    return {place: found for found, place in by_pattern.items()}


def room_of(name: str) -> str:
    """Return the folder that a file lies in."""
    return name.rpartition("/")[0]


def _patterns_of(name: str):
    source = (ROOT / name).read_text()
    if "re." not in source:
        return
    tree = ast.parse(source)
    module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
    used = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            used.setdefault(call.func.value.id, set()).add(call.func.attr)
            if call.func.value.id == "re" and call.func.attr not in {"compile", "escape"}:
                text = call.args[0]
                assert isinstance(text, ast.Constant), f"{name}:{call.lineno}: compile this pattern at the top"
                yield f"{name}:{call.lineno}", (re.compile(text.value), call.func.attr in FROM_ITS_BEGINNING)
    for found, value in vars(module).items():
        for number, pattern in enumerate(_inside(value)):
            yield f"{name}:{found}:{number}", (pattern, used.get(found, {""}) <= FROM_ITS_BEGINNING)


def _inside(value: object):
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _inside(inner)


def steps(pattern: re.Pattern[str], text: str, *, anchored: bool, most: float = math.inf) -> int:
    walk = Walk(pattern, text)
    return walk.fullmatch() if anchored else walk.search(most)


@pytest.fixture(autouse=True, scope="module")
def deep():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def worst(pattern: re.Pattern[str], *, anchored: bool) -> str:
    """Return on what a pattern takes more than linear time; nothing for one that never does."""
    for pump in pumps(pattern):
        for end in ("", "\x00"):
            if all(_grows(pattern, pump * short + end, pump * long + end, anchored=anchored) for short, long in SPANS):
                return repr(pump + end)
    return ""


def _grows(pattern: re.Pattern[str], short: str, long: str, *, anchored: bool) -> bool:
    most = MOST_GROWTH * steps(pattern, short, anchored=anchored) + MORE
    return steps(pattern, long, anchored=anchored, most=most) > most


@pytest.mark.parametrize("room", sorted({room_of(name) for name in FILES}))
def test_no_pattern_is_more_than_linear(room):
    found = {place: worst(pattern, anchored=anchored) for place, (pattern, anchored) in patterns(room).items()}
    assert {place: pump for place, pump in found.items() if pump} == {}


@pytest.mark.parametrize("slow", [r"\S+@", r"<!--.*?-->", r"\s+$", r"a.*b.*c", r"a+b+$", r"\{#.*?#\}"])
def test_the_count_finds_what_is_not_linear(slow):
    assert worst(re.compile(slow), anchored=False)


@pytest.mark.parametrize("quick", [r"\S{1,64}@", r"<!--(?:.*?-->|.*\Z)", r"[a-z]+(?:-[a-z]+)*", r"a.{0,20}b", r"\s++$"])
def test_the_count_finds_nothing_in_what_is(quick):
    assert not worst(re.compile(quick, re.DOTALL), anchored=False)
