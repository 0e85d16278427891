"""A letter that is read by its shape is found to show what it shows when it is read by itself."""

import pytest

from funnel_app.letters.engine import fill
from funnel_app.letters.shape import _read, read_marked, unmarked
from funnel_app.letters.visible import read_visible

URL = "https://f.example/u/token-1?a=1&b=2"
VALUES = [
    "Ana",
    "Ana Maria",
    "none",
    "a hidden",
    "script",
    "--",
    "",
    "\u200b",
    "&lt;b>",
    '" hidden x="',
    "white",
    "0",
    "nbsp;",
]
TEMPLATES = {
    "words and a way out": '<p>Hi {{ x }}</p><a href="{{ u }}">Leave</a>',
    "a way out without words": '<p>Hi</p><a href="{{ u }}">{{ x }}</a>',
    "a way out with more behind it": '<p>Hi</p><a href="{{ u }}&y={{ x }}">Leave</a>',
    "only what is filled in": "<p>{{ x }}</p>",
    "a target without quotes": '<div><a href={{ x }}>Go</a><a href="{{ u }}">Leave</a></div>',
    "an attribute": '<p {{ x }}>Hi <a href="{{ u }}">Leave</a></p>',
    "a style": '<p style="display:{{ x }}">Hi <a href="{{ u }}">Leave</a></p>',
    "a colour": '<p style="color:{{ x }}">Hi</p>',
    "a tag": '<{{ x }}>Hi <a href="{{ u }}">Leave</a>',
    "a comment": '<!-- {{ x }}> --><a href="{{ u }}">Leave</a>',
    "a sheet": '<style>p{color:{{ x }}}</style><p>Hi</p>',
    "a class": '<style>.white{color:#fff}</style><p class="{{ x }}">Hi</p>',
    "a selector of targets": '<style>a[href=white]{color:#fff}</style><p><a href="{{ x }}">Hi</a></p>',
    "a table": '<table>{{ x }}<tr><td><a href="{{ u }}">Leave</a></td></tr></table>',
    "a title": '<title>{{ x }}</title><a href="{{ u }}">Leave</a>',
    "a choice": '{% if x == "Ana" %}<p>Hi</p>{% endif %}<a href="{{ u }}">Leave</a>',
    "an entity": "<p>&{{ x }}</p>",
    "another's words": '<p>1 {{ x }} Street</p><a href="{{ u }}">Leave</a>',
}  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_what_is_filled_in_makes_no_difference_to_what_is_seen(template):
    for value in VALUES:
        page = fill(template, {"x": value, "u": URL}, html=True)
        by_shape, itself = read_marked(page, URL, "street"), read_visible(unmarked(page))
        assert by_shape.shows_nothing == itself.shows_nothing, value
        assert (URL in by_shape.links) == (URL in itself.links), value
        assert by_shape.images == itself.images, value


def test_letters_of_one_shape_are_read_once():
    _read.cache_clear()
    for name in ("Ana", "Bo", "Çelik"):
        page = fill(TEMPLATES["words and a way out"], {"x": name, "u": f"{URL}{name}"}, html=True)
        assert f"{URL}{name}" in read_marked(page, f"{URL}{name}", "street").links
    assert (_read.cache_info().misses, _read.cache_info().hits) == (1, 2)


def test_a_long_page_is_read_by_itself():
    _read.cache_clear()
    page = fill(f'{"<p>word</p>" * 5000}<a href="{{{{ u }}}}">Leave</a>', {"u": URL}, html=True)
    assert URL in read_marked(page, URL, "street").links and not _read.cache_info().misses


def test_the_companys_own_words_stay_what_they_are():
    page = fill("<p>{{ a }}</p>", {"a": "1 Market Street"}, html=True)
    assert "1 Market Street" in read_marked(page, URL, "market").text


def test_a_text_that_brings_its_own_marks_loses_them():
    page = fill("<p>{{ x }}</p>", {"x": "a\ufdd1b\ufdd0c"}, html=True)
    assert unmarked(page) == "<p>abc</p>" and not read_marked(page, URL, "street").shows_nothing
