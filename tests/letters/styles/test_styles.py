"""Styles are inlined where that says the same, and stay in the head where it does not."""

import gc
import weakref

import pytest

from funnel_app.letters.parts import prepare
from funnel_app.letters.styles.stylesheet import MOST_KEPT_CHARS, Group, read_sheet

PAGE = "<!doctype html><html><head><style>{}</style></head><body>{}</body></html>"


def made(css: str, body: str = '<p class="a">A</p>') -> str:
    return prepare("Hello", PAGE.format(css, body)).html


@pytest.mark.parametrize(
    "css",
    [
        "@font-face{font-family:X;src:url(https://a.example/x.woff2)}",
        '@import url("https://a.example/x.css");',
        "u + .body p{margin:0 !important}",
        "[data-ogsc] p{color:lime !important}",
        "#outlook a{padding:0}",
        "a:hover{color:blue !important}",
        ".never{color:red}",
        ".a{*zoom:1}.b{_height:1px}",
        "p:nth-foo(2){color:red}",
    ],
)
def test_what_cannot_be_inlined_stays_as_it_was(css):
    assert css.rpartition(".b")[2] in made(css)


@pytest.mark.parametrize("media", ["print", "(max-width: 480px)", "screen and (prefers-color-scheme: dark)"])
def test_a_style_for_some_is_inlined_for_nobody(media):
    html = prepare("Hello", f'<style media="{media}">p{{color:red}}</style><p style="margin:0">A</p>').html
    assert f'<style media="{media}">p{{color:red !important}}</style>' in html
    assert '<p style="margin:0">' in html


@pytest.mark.parametrize(
    ("css", "stays"),
    [
        ("p{color:red} @media print{ p{color:black}}", "p{color:black !important}"),
        ("p{color:red} @media print{ p{margin:0}}", "p{margin:0 !important}"),
        ("p.a{color:red} @media print{ p{color:black}}", "p{color:black}"),
        ("@media print{ p{color:black}} p{color:red}", "p{color:black}"),
        ("p{padding-left:1px} p:hover{padding:2px}", "p:hover{padding:2px !important}"),
        ("p{color:red !important} p:hover{color:black}", "p:hover{color:black}"),
        ("@media print{ p{color:black}} .a{color:red !important}", "p{color:black}"),
    ],
)
def test_what_stays_wins_over_what_was_inlined_only_where_it_won_before(css, stays):
    assert stays in made(css)


def test_what_was_stronger_remains_so_beside_what_stays():
    html = made("p{color:red} .a{color:green} @media print{ p{color:black}}", '<p>A</p><p class="a">B</p>')
    assert "p{color:black !important}" in html
    assert '<p class="a" style="color: green !important;">' in html


@pytest.mark.parametrize(
    "attribute",
    [
        'class="{{ tone }}"',
        'class="b {% if x %}a{% endif %}"',
        '{% if x %}class="a"{% endif %}',
        'class="{% if x %}a{% else %}b{% endif %}"',
    ],
)
def test_a_class_that_is_chosen_for_each_lead_keeps_its_rules(attribute):
    html = made(".a{color:red}", f'<p {attribute}>A</p><p class="a">B</p>')
    assert ".a{color:red !important}" in html
    assert '<p class="a" style="color: red;">B</p>' in html


def test_a_class_in_a_comment_that_only_outlook_reads_keeps_its_rules():
    html = made(
        ".a{width:9px} .c{width:8px}", '<!--[if mso]><td class="a"><![endif]--><p class="a">A</p><p class="c">A</p>'
    )
    assert "<style>.a{width:9px}</style>" in html


@pytest.mark.parametrize(
    "attributes",
    [
        '{% if x %}bgcolor="#fff"{% endif %}',
        '{% if x %} bgcolor="#fff" {% else %} bgcolor="#000" {% endif %} align="left"',
        "{% if x %}hidden{% endif %}",
        'title="{{ tone }}" class="{{ tone }}" {% if x %}dir="rtl"{% endif %}',
    ],
)
def test_a_choice_among_attributes_leaves_the_inlining_on_and_loses_nothing(attributes):
    html = made("td{color:red} p{margin:0}", f"<table><tr><td{' '}{attributes}>A</td></tr></table><p>B</p>")
    assert '<p style="margin: 0;">' in html
    assert html.count('style="color: red;"') == 1
    assert all(piece in html for piece in attributes.replace("> ", ">").split())


def test_a_style_that_is_chosen_has_what_was_inlined_too():
    html = made("p{margin:0}", "<p {% if x %}style='color:red'{% endif %}>A</p>")
    assert "{% if x %}style='margin: 0;color:red'{% endif %} style=\"margin: 0;\"" in html


def test_a_style_with_a_variable_is_left_alone_and_the_others_are_inlined():
    html = prepare("Hello", "<style>p{color:{{ tone }}}</style><style>p{margin:0}</style><p>A</p>").html
    assert "<style>p{color:{{ tone }}}</style>" in html
    assert '<p style="margin: 0;">' in html


def test_a_style_of_the_body_moves_into_the_head_where_mail_programs_read_it():
    html = prepare("Hello", "<body><p>A</p><style>p:hover{color:red}</style></body>").html
    assert html.index("p:hover") < html.index("</head>")


@pytest.mark.parametrize(
    ("css", "body", "head", "after"),
    [
        (
            "p{color:red} p:hover{color:blue}",
            '<p style="color:green; ">A</p>',
            "<style>p:hover{color:blue}</style>",
            '<p style="color: green">A</p>',
        ),
        (
            "p{color:red} .a{color:green} p:hover{color:black}",
            '<p class="a">A</p><p>B</p>',
            "<style>p:hover{color:black !important}</style>",
            '<p class="a" style="color: green;">A</p><p style="color: red;">B</p>',
        ),
        (
            "p{color:black} p:hover{color:blue}",
            '<p style="color:green">A</p><p style="margin:0">C</p><p>B</p>',
            "<style>p:hover{color:blue !important}</style>",
            (
                '<p style="color: green;color: green !important">A</p><p style="color: black;margin: 0">C</p>'
                '<p style="color: black;">B</p>'
            ),
        ),
        (
            'p{color:black;background:url("a?b&c")}',
            "<p {% if x %}style='margin:0'{% endif %}>A</p>",
            "",
            (
                "<p {% if x %}style='color: black;background: url(&#39;a?b&amp;c&#39;);margin:0'{% endif %} "
                "style=\"color: black;background: url('a?b&c');\">A</p>"
            ),
        ),
        (
            ".a,.b:hover{color:red;margin:0}",
            '<p class="a">A</p>',
            "<style>.b:hover{color:red;margin:0}</style>",
            '<p class="a" style="color: red;margin: 0;">A</p>',
        ),
        (
            "@media print{.a{color:red}} @supports (a:b){p{margin:1px}}",
            '<p class="a" style="color:blue">A</p>',
            "<style>@media print{\n.a{color:red}\n}\n@supports (a:b){\np{margin:1px !important}\n}</style>",
            '<p class="a" style="color:blue">A</p>',
        ),
        (
            "p{color:red}",
            "<p {% if x %}class='a' style='margin:0'{% endif %} style=\"padding:0\">A</p>",
            "",
            (
                "<p {% if x %}class='a' style='color: red;padding: 0;margin:0'{% endif %} "
                'style="color: red;padding: 0">A</p>'
            ),
        ),
    ],
)
def test_a_whole_page_says_the_same_in_place_and_in_its_head(css, body, head, after):
    assert made(css, body) == f"<!DOCTYPE html><html><head>{head}</head><body>{after}</body></html>"


def test_a_sheet_that_was_read_before_has_rules_of_its_own_in_each_place():
    css = "p{color:red} .a:hover{color:blue} @media print{p{color:black}}"
    one, other = read_sheet(css), read_sheet(css)
    assert [rule.source for rule in flat(one)] == [rule.source for rule in flat(other)]
    assert not set(flat(one)) & set(flat(other))


def test_of_large_sheets_nothing_is_kept():
    """A draft is judged in so much memory: what is kept of others would be lacking, and the next blamed for it."""
    large = [f".a{{color:#{number:06}}}" + ".b{c:d}" * (MOST_KEPT_CHARS // 7) for number in range(2)]
    kept = [weakref.ref(flat(read_sheet(css))[0]) for css in large]
    gc.collect()
    assert [rule() for rule in kept] == [None, None]


def test_a_sheet_of_blocks_within_each_other_is_read():
    assert len(flat(read_sheet("@media a{" * 300 + "p{color:red}" + "}" * 300))) == 1


@pytest.mark.parametrize("deep", [700, 1200])
def test_a_sheet_of_too_many_blocks_within_each_other_is_refused(deep):
    with pytest.raises(ValueError, match="too many braces"):
        read_sheet("@media a{" * deep + "p{color:red}" + "}" * deep)


def flat(sheet):
    return [rule for each in sheet for rule in (flat(each.rules) if isinstance(each, Group) else [each])]


def test_of_one_sheet_twice_on_a_page_the_later_wins():
    sheet, between = "p{color:red}", "p{color:blue}"
    page = "".join(f"<style>{css}</style>" for css in (sheet, between, sheet)) + "<p>A</p>"
    assert '<p style="color: red;">' in prepare("Hello", page).html
