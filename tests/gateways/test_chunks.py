"""Notion takes 2000 UTF-16 units in one piece of text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_app.gateways.notion.chunks import chunks, utf16_units

EMOJI = "\N{PARTY POPPER}"


@given(st.text(), st.integers(min_value=2, max_value=9))
def test_pieces_join_to_the_text_and_none_is_too_long(text: str, units: int) -> None:
    pieces = chunks(text, units)
    assert "".join(pieces) == text
    assert all(0 < utf16_units(piece) <= units for piece in pieces)


@given(st.text(alphabet=st.sampled_from(["a", EMOJI])), st.integers(min_value=2, max_value=5))
def test_pieces_are_as_long_as_they_can_be(text: str, units: int) -> None:
    pieces = chunks(text, units)
    assert all(utf16_units(left + right[0]) > units for left, right in pairwise(pieces))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_length_is_counted_as_in_utf_16(text: str) -> None:
    assert utf16_units(text) == len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", []),
        ("x" * 2000, [2000]),
        ("x" * 2001, [2000, 1]),
        ("x" * 1999 + EMOJI, [1999, 1]),
        (EMOJI * 1001, [1000, 1]),
    ],
)
def test_pieces_hold_two_thousand_units(text: str, lengths: list[int]) -> None:
    assert [len(piece) for piece in chunks(text)] == lengths
