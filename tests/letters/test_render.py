"""Letters are filled in exactly: nothing unescaped, nothing missing, no tag left."""

import socket
import unicodedata
from html import escape

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markupsafe import Markup

from funnel_app.letters.parts import prepare
from funnel_app.letters.render import MissingVariable, Parts, RenderFailed, render
from funnel_app.letters.tags import tags_of
from funnel_app.letters.words import printable

PAGE = """<html><head><style>
.lead { color: red } a:hover { color: blue }
@media (max-width: 480px) { .lead { color: green } }
</style></head><body>
<div style="display: none">Preview</div>
<p class="lead">Dear {{ first_name }},</p>
<table>{% if score > 50 and score < 90 %}<tr><td>Good: {{ score }}</td><td>Well done</td></tr>{% endif %}</table>
<p>See <a href="{{ link }}">our calendar</a> or <a href="{{ link }}">{{ link }}</a>
or write to <a href="mailto:a@b.example">a@b.example</a>.</p>
<ul>{% if name is defined %}<li>{{ name }}</li>{% endif %}<li>two</li></ul>
</body></html>"""
VALUES = {"first_name": "Ana", "score": 72, "link": "https://a.example/?b=1&c=2"}


def prepared(html: str = PAGE, subject: str = "Hello {{ first_name }}") -> Parts:
    return prepare(subject, html)


def text_of(html: str, **values: object) -> str:
    return render(prepare("Hello", html), values).text


def test_styles_are_inlined_and_media_queries_kept():
    html = prepared().html
    assert '<p class="lead" style="color: red;">Dear {{ first_name }},</p>' in html
    assert "@media (max-width: 480px)" in html


def test_tags_survive_in_text_attributes_and_tables():
    html = prepared().html
    assert 'href="{{ link }}"' in html
    assert "{% if score > 50 and score < 90 %}" in html
    rendered = render(prepared(), VALUES).html
    assert rendered.index("<table>") < rendered.index("Good: 72") < rendered.index("</table>")
    assert "Good" not in render(prepared(), {**VALUES, "score": 20}).html


@pytest.mark.parametrize(
    "html",
    [
        '<a href="{{ link|default("https://b.example") }}">b</a>',
        '<p style="color: {{ colour }}">a</p>',
        "<style>p { color: {{ colour }} }</style><p>a</p>",
        '<p {% if colour %}class="a"{% else %}class="b"{% endif %}>a</p>',
        "<table>{{ colour }}<tr><td>a</td></tr></table>",
    ],
)
def test_no_tag_is_lost_or_moved_wherever_it_stands(html):
    assert tags_of(prepare("a", html).html) == tags_of(html)


def test_a_choice_between_attributes_is_kept():
    html = prepare("a", '<p {% if x %}class="a"{% else %}class="b"{% endif %}>a</p>').html
    assert 'class="b"' in render(Parts("a", html, ""), {"x": False}).html


def test_no_stylesheet_is_loaded_from_a_file_or_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    (tmp_path / "style.css").write_text("p { color: red }")
    for target in (tmp_path / "style.css", "http://127.0.0.1:9/style.css"):
        assert "red" not in prepare("a", f'<link rel="stylesheet" href="{target}"><p>a</p>').html


def test_preparing_is_deterministic():
    again = prepare("Hello {{ first_name }}", PAGE)
    assert again == prepared()


def test_the_text_part_reads_like_the_letter():
    assert render(prepared(), VALUES).text == (
        "Dear Ana,\n\nGood: 72\nWell done\n\n"
        "See our calendar (https://a.example/?b=1&c=2) or https://a.example/?b=1&c=2 or write to a@b.example.\n\n"
        "  * two\n"
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a &amp;currency=1 &amp;amp; &lt;b&gt;", "a &currency=1 &amp; <b>"),
        (
            '<a href="https://a.example/?a=1&amp;currency=2&copy=3">go</a>',
            "go (https://a.example/?a=1&currency=2&copy=3)",
        ),
        ('<a href="https://a.example"><img src="x" alt="Our shop"></a>', "Our shop (https://a.example)"),
        ('<img src="x" alt="Our shop"> and <img src="x" alt="">', "[Our shop] and"),
        ('<a href="mailto:a@b.example">write</a>', "write (mailto:a@b.example)"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="tel:+14165550100">call</a>', "call (tel:+14165550100)"),
        ('<a href="tel:+14165550100">+1 (416) 555-0100</a>', "+1 (416) 555-0100"),
        ('<a href="tel:+14165550101">+1 416 555 0100</a>', "+1 416 555 0100 (tel:+14165550101)"),
        ('<a href="#top">up</a>', "up"),
        ('<a href=" https://x.example ">go</a>', "go (https://x.example)"),
        ('<a href="https://y.example">see https://y.example</a>', "see https://y.example"),
        ('<img alt=" A " src="x"><img src="y">', "[A]"),
        ('<a href="https://x.example"><img alt="A" src=x></a><img alt="B" src=y>', "A (https://x.example)[B]"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a\nb\nc"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ("</p><h1>T</h1><p>a</p><ol><li>x</li></ol>", "T\n\na\n\n 1. x"),
        ('<span style="max-height:0;overflow:hidden">Peek</span>a', "a"),
        ("<span hidden>Peek</span>a", "a"),
        ('<span style="opacity: 0">Peek</span>a', "a"),
        ('<span title="hidden" style="opacity:0.5">b</span> a', "b a"),
    ],
)
def test_the_text_part_says_what_the_letter_says(html, text):
    assert text_of(f"<p>{html}</p>") == f"{text}\n"


def test_choices_hold_in_the_text_part_even_in_cells_side_by_side():
    one, other = "{% if a %}<p>A</p>{% else %}<p>B</p>{% endif %}", "{% if b %}<p>C</p>{% endif %}"
    html = f"<table><tr><td>{one}</td><td>{other}</td></tr></table>"
    assert text_of(html, a=True, b=False) == "A\n"
    assert text_of(html, a=False, b=True) == "B\n\nC\n"


def test_a_choice_across_a_hidden_element_still_gives_a_text():
    html = '{% if a %}<div style="display: none">{% else %}<div>{% endif %}Dear</div>'
    assert "Dear" in text_of(html, a=False)


def test_comments_of_the_template_never_reach_the_reader():
    parts = prepare("Hello{# my note #}", "<p>Dear{# my note #}</p>")
    rendered = render(parts, {})
    assert "note" not in rendered.subject + rendered.html + rendered.text


def test_values_are_escaped_in_html_and_plain_elsewhere():
    rendered = render(prepared(), {**VALUES, "first_name": "<b>Ana & Co</b>"})
    assert "Dear &lt;b&gt;Ana &amp; Co&lt;/b&gt;," in rendered.html
    assert "Dear <b>Ana & Co</b>," in rendered.text
    assert rendered.subject == "Hello <b>Ana & Co</b>"


def test_a_value_that_calls_itself_safe_is_escaped_all_the_same():
    assert "<script>" not in render(prepared(), {**VALUES, "first_name": Markup("<script>")}).html


def test_figures_and_lists_read_as_people_write_them():
    html = "<p>{{ score }} of {{ total }}, {{ days }}</p>"
    assert text_of(html, score=72.0, total=99.5, days=["Monday", "Friday"]) == "72 of 99.5, Monday, Friday\n"


@pytest.mark.parametrize("values", [{}, {"first_name": None}])
def test_a_variable_that_nothing_provides_is_named(values):
    with pytest.raises(MissingVariable) as caught:
        render(Parts("Hello", "{{ first_name }}", "Hi"), values)
    assert caught.value.name == "first_name"
    assert "first_name" in str(caught.value)


@pytest.mark.parametrize("use", ["{% if x %}{% endif %}", "{{ x|upper }}", "{% if x > 1 %}{% endif %}", "{{ x|int }}"])
def test_using_a_missing_variable_in_any_way_is_an_error(use):
    with pytest.raises(MissingVariable, match='"x"'):
        render(Parts("Hello", use, "Hi"), {})


def test_a_default_or_a_question_may_stand_for_a_missing_variable():
    source = '{{ x|default("there") }}{% if x is defined %}!{% endif %}'
    assert render(Parts("Hello", source, source), {}).html == "there"


@pytest.mark.parametrize(
    "html",
    [
        "{{ x",
        "{% if x < 1 %}{% endif %}",
        "{{ x|round }}",
        "{{ x|nothing }}",
        '{{ "{{" }}',
        "{{ range(3) }}",
        "{{ 1e999|int }}",
        "{{ x.__class__.__mro__ }}",
        "{% raw %}{{ x }}{% endraw %}",
        "{{ " + "(" * 3000 + "x" + ")" * 3000 + " }}",
        "{% if x %}" * 200 + "{% endif %}" * 200,
    ],
)
def test_a_template_that_cannot_be_filled_in_fails_with_a_reason(html):
    with pytest.raises((RenderFailed, MissingVariable)) as caught:
        render(Parts("Hello", html, "Hi"), {"x": "a"})
    assert str(caught.value)


def test_an_empty_subject_fails():
    with pytest.raises(RenderFailed, match="subject"):
        render(Parts("{{ x }}", "a", "a"), {"x": " "})


def test_what_a_lead_types_is_never_read_as_a_template():
    rendered = render(prepared(), {**VALUES, "first_name": "{{ score }}{% if %}"})
    assert "Dear {{ score }}{% if %}," in rendered.text


@given(st.text())
def test_any_text_of_a_value_is_escaped(value):
    html = render(Parts("Hello", '<p title="{{ x }}">{{ x }}</p>', "Hi"), {"x": value}).html
    inside = html.removeprefix('<p title="').removesuffix("</p>")
    assert "<" not in inside.replace('">', "", 1)
    assert inside.count('"') == 1
    assert "'" not in inside


@given(st.text(alphabet="<>&\"'abc é"))
def test_escaping_changes_nothing_else(value):
    html = render(Parts("Hello", "{{ x }}", "Hi"), {"x": value}).html
    assert html == escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


@given(st.text(), st.text())
def test_the_subject_is_always_one_line(template, value):
    assume(not any(brace in template for brace in "{}"))
    rendered = render(Parts(f"A{template}{{{{ x }}}}", "a", "a"), {"x": value})
    assert len(rendered.subject.splitlines()) == 1
    assert rendered.subject == rendered.subject.strip()
    assert rendered.subject.isprintable() or not any(ord(char) < 32 for char in rendered.subject)


def test_of_all_signs_only_control_characters_and_halves_of_signs_are_left_out():
    every = "".join(map(chr, range(0x11000)))
    kept = [char for char in every if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"}]
    assert printable(every.replace("\r", "")) == "".join(kept)
    assert printable("a\r\nb\rc\x00") == "a\nb\nc"


PIECES = ["<p>", "</p>", "{{ x }}", "{% if x %}", "{% else %}", "{% endif %}", "{{", "}}", "{%", "a", "<table>", "<td>"]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.text().filter(lambda text: not set(text) & set("{}")))
def test_no_rendered_part_ever_keeps_a_tag(pieces, value):
    try:
        rendered = render(prepare("Hello {{ x }}", "".join(pieces)), {"x": value})
    except (RenderFailed, MissingVariable):
        return
    assert not any(tag in part for part in (rendered.subject, rendered.html, rendered.text) for tag in ("{{", "{%"))
