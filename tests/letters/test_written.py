"""What owners write, read as what they meant: where that is certain a letter is made of it, else it is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from funnel_app.flows.templates.starters import LAYOUT
from funnel_app.letters.written.source import read_source
from funnel_app.letters.written.write import BUTTON

FRAME = LAYOUT.read_text()


def made(source="", *blocks):
    return read_source(source, blocks, "[body]")


def run(text, **look):
    return {"text": text, **look}


def paragraph(*runs, **more):
    return {"type": "paragraph", "runs": [run(each) if isinstance(each, str) else each for each in runs], **more}


@pytest.mark.parametrize(
    ("source", "read_as", "html"),
    [
        ("Hi,\none\n\ntwo", "plain words", "<p>Hi,<br>\none</p>\n<p>two</p>"),
        ("3 < 5 & more <script>", "plain words", "<p>3 &lt; 5 &amp; more &lt;script&gt;</p>"),
        ("Ana\n--\nSalon\n    indented", "plain words", "<p>Ana<br>\n--<br>\nSalon<br>\nindented</p>"),
        ("R&amp;D &copy; A&B", "plain words", "<p>R&amp;D © A&amp;B</p>"),
        ("snake_case_name, 5 * 3 * 2", "plain words", "<p>snake_case_name, 5 * 3 * 2</p>"),
        (
            "See https://x.example/a?b=1&c=2, ok",
            "plain words",
            '<p>See <a class="link" href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>, ok</p>',
        ),
        (
            "Book: {{ calendly_link }}",
            "plain words",
            '<p>Book: <a class="link" href="{{ calendly_link }}">{{ calendly_link }}</a></p>',
        ),
        ("**{{ first_name }}**, _you_", "Markdown", "<p><strong>{{ first_name }}</strong>, <em>you</em></p>"),
        ("# A\n## B", "Markdown", "<h1>A</h1>\n<h2"),
        ("- a\n- b\n  - c", "Markdown", "<ul>\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>"),
        ("3. c\n4. d", "Markdown", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>'),
        (
            "[Book it]({{ calendly_link }})",
            "Markdown",
            BUTTON.format(href="{{ calendly_link }}", label="Book it"),
        ),
        (
            "Or [write](ana@x.example) or [look](www.x.example)",
            "Markdown",
            '<p>Or <a class="link" href="mailto:ana@x.example">write</a> or <a class="link" href="https://www.x.example">',
        ),
        ("![Our salon](https://x.example/a.png)", "Markdown", '<img src="https://x.example/a.png" alt="Our salon"'),
        ("> so\n\n---", "Markdown", '<p class="item" style="font-style:italic">so</p>\n<hr'),
        (
            "{% if segment is known %}\nA\n{% endif %}\nB",
            "plain words",
            "{% if segment is known %}\n<p>A</p>\n{% endif %}\n<p>B</p>",
        ),
        (
            "{% if segment is known %}A{% endif %}",
            "plain words",
            "{% if segment is known %}<p>A</p>{% endif %}",
        ),
        ("```html\n<p>Hi</p>\n```", "HTML in a fence (```html)", "<p>Hi</p>"),
        (
            "&lt;p&gt;Hi{{ n|pluralize(&quot;is,are&quot;) }}&lt;/p&gt;",
            "HTML whose signs came as codes (&lt;p&gt;)",
            '<p>Hi{{ n|pluralize("is,are") }}</p>',
        ),
        ("<p>Hi</p>", "HTML", "<p>Hi</p>"),
        ('<p style="color:red>Hi', "HTML", '<p style="color:red>Hi'),
    ],
)
def test_a_text_becomes_what_was_meant(source, read_as, html):
    found = made(source)
    assert (found.read_as, found.problems) == (read_as, ()) and found.html.startswith(html), found.html


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("<mjml><mj-body></mj-body></mjml>", "not_html", "MJML source"),
        ('{"body": {"rows": []}}', "not_html", "design file (JSON)"),
        ("{\\rtf1\\ansi Hi}", "not_html", "RTF"),
        ("MIME-Version: 1.0\nContent-Type: text/html\n\n<p>Hi</p>", "not_html", "a whole email with its headers"),
        ("Write &lt;b&gt; here", "not_html", "HTML codes"),
        ("Hi\n```html\n<p>Hi</p>\n```", "code_or_words", "words beside it"),
        ("```html\n<p>A</p>\n```\n```html\n<p>B</p>\n```", "code_or_words", "2 fences"),
        ("a | b\n--|--\n1 | 2", "not_makeable", "table"),
        ("x" * 40_001, "too_large", "40,001 characters"),
    ],
)
def test_what_is_not_certain_is_named_and_nothing_is_made(source, code, words):
    found = made(source)
    (problem,) = found.problems
    assert problem.code == code and problem.blocking and words in problem.detail
    assert not found.html and found.read_as is not None


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("Hi <b>Ana</b>,\nline\nline", "breaks_lost"),
        ("<p>Hi **Ana** there</p>", "markdown_in_html"),
        ("[x](javascript:alert) there", "bad_link"),
        ("[x](/relative) there", "bad_link"),
    ],
)
def test_what_reads_badly_is_warned_of(source, code):
    (problem,) = made(source).problems
    assert problem.code == code and not problem.blocking


def test_a_page_of_blocks_becomes_a_letter():
    found = made(
        "",
        {"type": "heading_2", "runs": [run("Your week")]},
        paragraph(run("Hi {{ first", bold=True), run("_name }}, "), run("see", href="https://x.example"), " & <b>"),
        paragraph("{% if segment is known %}"),
        {"type": "bulleted_list_item", "runs": [run("one")], "children": [paragraph("more")]},
        {"type": "to_do", "runs": [run("two")]},
        paragraph("{% endif %}"),
        paragraph(run("Book your call", href="https://%7B%7B%20calendly_link%20%7D%7D/")),
        {"type": "callout", "sign": "💡", "runs": [run("a tip")]},
        {"type": "column_list", "children": [{"type": "column", "children": [paragraph("left")]}]},
        {"type": "bookmark", "url": "https://x.example/shop"},
    )
    assert (found.read_as, found.problems) == ("words typed on the page", ())
    lines = found.html.split("\n")
    assert ">Your week</h2>" in lines[0]
    assert lines[1] == (
        '<p><strong>Hi {{ first_name }}</strong>, <a class="link" href="https://x.example">see</a> &amp; &lt;b&gt;</p>'
    )
    assert lines[2:8] == ["{% if segment is known %}", "<ul>", "<li>one", "<p>more</p>", "</li>", "<li>two</li>"]
    assert '<a class="press" href="{{ calendly_link }}">Book your call</a>' in found.html
    assert '<p class="note">💡 a tip</p>' in lines and "<p>left</p>" in lines
    assert 'href="https://x.example/shop"' in lines[-1]


@pytest.mark.parametrize(
    ("block", "code", "words"),
    [
        ({"type": "table"}, "not_makeable", "a table"),
        ({"type": "toggle", "runs": [run("more")]}, "not_makeable", "a toggle"),
        ({"type": "heading_1", "folded": True}, "not_makeable", "a toggle"),
        ({"type": "unsupported"}, "not_makeable", "does not hand out"),
        ({"type": "link_to_page"}, "not_makeable", "a link to a page in Notion"),
        ({"type": "video"}, "not_makeable", "“video”"),
        ({"type": "image", "hosted": True}, "expiring_image", "Upload it to your website"),
    ],
)
def test_a_block_that_no_email_can_be_is_named(block, code, words):
    (problem,) = made("", paragraph("Hi"), block).problems
    assert problem.code == code and problem.blocking and words in problem.detail


@pytest.mark.parametrize(
    "href", ["/0123abc", "https://www.notion.so/0123abc", "ftp://x.example", "javascript:alert(1)"]
)
def test_a_link_that_no_reader_can_follow_is_left_out_and_named(href):
    found = made("", paragraph("See ", run("this", href=href)))
    (problem,) = found.problems
    assert problem.code == "bad_link" and found.html == "<p>See this</p>"


def test_words_and_code_on_one_page_are_never_two_letters():
    (problem,) = made("SAVE10", paragraph("Hi, your code:")).problems
    assert problem.code == "code_or_words" and problem.blocking
    assert made("SAVE10", {"type": "divider"}).read_as == "plain words"
    assert made("<p>The letter</p>", paragraph("a note")).html == "<p>The letter</p>"


def test_the_rich_text_of_a_property_keeps_looks_links_and_lines():
    rich = {
        "type": "text",
        "runs": [run("Hi "), run("Ana\n\n", bold=True), run("go", href="https://x.example"), run(" on\n- a\n- b")],
    }
    found = made("Hi Ana\n\ngo on\n- a\n- b", rich)
    assert found.html == (
        '<p>Hi <strong>Ana</strong></p>\n<p><a class="link" href="https://x.example">go</a> on</p>\n'
        "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"
    )


def test_headings_and_numbers_of_a_property_keep_their_level():
    runs = [run("## Your week\n3. third\n4. fourth")]
    html = made("## Your week\n3. third\n4. fourth", {"type": "text", "runs": runs}).html
    assert "</h2>" in html and '<ol start="3">' in html


def test_a_link_in_a_property_that_no_reader_can_follow_is_named_too():
    found = made("See this", {"type": "text", "runs": [run("See "), run("this", href="ftp://x.example")]})
    assert [problem.code for problem in found.problems] == ["bad_link"]


def test_a_picture_of_a_page_keeps_its_address_and_its_words():
    found = made("", {"type": "image", "url": "https://x.example/a.png", "runs": [run("Our salon")]})
    assert 'src="https://x.example/a.png"' in found.html and "Our salon" in found.html


def test_a_link_that_notion_has_on_words_of_html_is_named():
    rich = {"type": "text", "runs": [run("<p>Go "), run("here", href="https://x.example"), run("</p>")]}
    found = made("<p>Go here</p>", rich)
    assert found.html == "<p>Go here</p>" and "“here” is lost" in found.problems[0].detail


def test_a_letter_of_words_has_the_layout_and_its_way_out():
    html = read_source("Hi {{ first_name }},\n\nYour week is here.", (), FRAME).html
    assert '<div class="preview">Your week is here.</div>' in html and "{{ unsubscribe_url }}" in html
    assert "[body]" not in html and "[reason]" not in html


@given(st.text(alphabet="a *_[](){}%<>&\"'`#-1.\n~|!/:", max_size=120))
def test_whatever_is_typed_no_element_comes_of_it_that_was_not_meant(source):
    found = read_source(source, [], "[body]")
    tags = {node.tag for node in LexborHTMLParser(found.html).root.traverse()} if found.html else set()
    assert not tags & {"script", "style", "iframe", "form", "a-", "object"}
    typed = read_source("", [paragraph(source)], "[body]")
    assert len(LexborHTMLParser(typed.html).css("p")) <= 1
