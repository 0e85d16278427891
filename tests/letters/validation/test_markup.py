"""Broken markup in whole words: what swallows what comes after it, with where it begins."""

import pytest

from funnel_app.letters.validation.markup import broken_markup

COMMENT = "A comment has no end and swallows the words after it: <!--{}. It ends with two hyphens and >, typed plainly."
QUOTE = 'The attribute "{}" has no closing quote and swallows the words after it: {}'
CURLY = "The body has curly quotes around an attribute's value: {}. Type them again as straight quotes."


@pytest.mark.parametrize(
    ("html", "code", "words"),
    [
        ("<!-- note —><p>Your week</p>", "unclosed", COMMENT.format("note —><p>Your week</p>")),
        ("<p>Hi</p><!-- end", "unclosed", COMMENT.format("end")),
        ("<!-- a <!-- b --><p>c</p>", "unclosed", COMMENT.format("a <!-- b")),
        ("<!--a-->b<!-- c —><b>{{ d }}</b>-->", "unclosed", COMMENT.format("c —><b>{{ d }}</b>")),
        ('<p style="color:red>1</p><p class="x">2</p>', "unclosed", QUOTE.format("style", "color:red>1</p><p class=")),
        (f'<p title="{"long " * 12}<b >x</b>">y</p>', "unclosed", QUOTE.format("title", f"{'long ' * 11}lon…")),
        ('<p a"<b="c">x</p>', "unclosed", QUOTE.format('a"<b', "c")),
        ("<p style=‘color:red’>Hi</p>", "curly_quotes", CURLY.format("=‘color:red’")),
        ("<a href=“{{ x }}”>L</a>", "curly_quotes", CURLY.format("=“{{ x }}”")),
        ("<div>" * 201, "too_deep", "The body has more than 200 elements within each other."),
    ],
)
def test_it_is_named_with_where_it_begins(html, code, words):
    assert [(p.code, p.detail, p.blocking) for p in broken_markup(html)] == [(code, words, True)]


@pytest.mark.parametrize(
    "html",
    [
        "<!--[if mso]><p>–></p><![endif]-->",
        "<!-- a -> b --><!-- c --><p>d</p>",
        '<p a="“x”">b</p>',
        "<p a='=“x”' b=c>=“d”</p>",
        f"{'<div>' * 198}x",
        '<p title="a &lt;b&gt; c &#60;/p> &#x3C;a >">x</p>',
    ],
)
def test_what_only_looks_broken_is_not(html):
    assert list(broken_markup(html)) == []
