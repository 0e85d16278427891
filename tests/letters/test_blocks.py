"""The blocks of a page and the rich text of a property, read as what was meant: looks, links and lines stay."""

import pytest

from funnel_app.letters.problem import fault, warning
from funnel_app.letters.written.html import BUTTON
from funnel_app.letters.written.source import Written
from tests.letters.test_written import LEFT_OUT, PICTURE, made, paragraph, run

SERIF = "font-family:Georgia,'Times New Roman',serif;line-height:1.3"
LOOKS = "<p><u><em>a</em></u> <code><s>b</s></code></p>"


def test_words_and_code_on_one_page_are_never_two_letters():
    words = (
        "The page has words and a code block, and either could be the letter. Delete the one that is not, or give the "
        "code block the caption “html” if it is the letter."
    )
    assert made("SAVE10", paragraph("Hi, your code:")) == Written("", "", (fault("code_or_words", words),))
    assert made("SAVE10", {"type": "column_list", "children": [paragraph("Hi")]}).read_as == ""
    assert made("SAVE10", {"type": "divider"}).read_as == "plain words"
    assert made("<p>The letter</p>", paragraph("a note")).html == "<p>The letter</p>"


def test_the_rich_text_of_a_property_keeps_looks_links_and_lines():
    rich = {
        "type": "text",
        "runs": [run("Hi "), run("Ana\n\n", bold=True), run("go", href="https://x.example"), run(" on\n- a\n- b")],
    }
    found = made("Hi Ana\n\ngo on\n- a\n- b", rich)
    assert found.read_as == "words with Notion's formatting"
    assert found.html == (
        '<p>Hi <strong>Ana</strong></p>\n<p><a class="link" href="https://x.example">go</a> on</p>\n'
        "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"
    )


def test_a_link_that_no_reader_can_follow_is_left_out_and_named_wherever_it_stands():
    for kind, tag in (("paragraph", "p"), ("to_do", "li"), ("heading_1", "h1")):
        found = made("", {"type": kind, "runs": [run("See "), run("this" * 20, href="ftp://x.example", bold=True)]})
        assert f"<{tag}>See <strong>{'this' * 20}</strong></{tag}>" in found.html
        assert found.problems == (warning("bad_link", f'A link goes to "ftp://x.example", {LEFT_OUT}'),)
    for href in ("/0123abc", "https://www.notion.so/0123abc", "https://app.notion.com/p/1"):
        words = f"The link on “{'this' * 10}” goes to a page in Notion, which readers cannot open: it was left out."
        assert made("", paragraph(run("this" * 20, href=href))).problems == (warning("bad_link", words),)


def test_headings_and_numbers_of_a_property_keep_their_level():
    runs = [run("## Your week\n3. third\n4. fourth")]
    html = made("## Your week\n3. third\n4. fourth", {"type": "text", "runs": runs}).html
    assert "</h2>" in html and '<ol start="3">' in html


@pytest.mark.parametrize(
    ("block", "html"),
    [
        ({"type": "breadcrumb"}, ""),
        ({"type": "divider"}, '<hr style="margin:26px 0;border:0;border-top:1px solid #cfc3b2">'),
        (
            {"type": "quote", "runs": [run("q")], "children": [paragraph("c")]},
            '<div class="item" style="font-style:italic"><p>q</p>\n<p>c</p></div>',
        ),
        ({"type": "callout", "children": [paragraph("c")]}, '<div class="note"><p>c</p></div>'),
        ({"type": "callout", "sign": "!", "runs": [run("n")]}, '<p class="note">! n</p>'),
        (
            {"type": "code", "runs": [run("a\nb")]},
            (
                '<p style="margin:0 0 18px;font-family:Consolas,Menlo,monospace;font-size:15px;white-space:pre-wrap">'
                "a<br>\nb</p>"
            ),
        ),
        ({"type": "numbered_list_item", "runs": [run("n")]}, "<ol>\n<li>n</li>\n</ol>"),
        ({"type": "heading_1", "runs": [run("h")]}, "<h1>h</h1>"),
        (
            {"type": "heading_3", "runs": [run("h")], "children": [paragraph("c")]},
            f'<h3 style="margin:24px 0 10px;{SERIF};font-size:19px">h</h3>\n<p>c</p>',
        ),
        (
            {"type": "heading_2", "runs": [run("h")]},
            f'<h2 style="margin:28px 0 12px;{SERIF};font-size:22px">h</h2>',
        ),
        (
            {"type": "bookmark", "url": "https://x.example", "runs": [run("Shop")]},
            BUTTON.format(href="https://x.example", label="Shop"),
        ),
        (
            {"type": "image", "url": "https://x.example/a.png", "runs": [run('Our "salon" ')]},
            f'<img src="https://x.example/a.png" alt="Our &quot;salon&quot;" {PICTURE}>',
        ),
        (paragraph(run("a", underline=True, italic=True), run(" "), run("b", strike=True, code=True)), LOOKS),
    ],
)
def test_each_block_is_written_in_the_layouts_look(block, html):
    assert made("", block) == Written(html, "words typed on the page")


def test_a_link_in_a_property_that_no_reader_can_follow_is_named_too():
    found = made("See this", {"type": "text", "runs": [run("See "), run("this", href="ftp://x.example")]})
    assert [problem.code for problem in found.problems] == ["bad_link"]


def test_a_picture_of_a_page_keeps_its_address_and_its_words():
    found = made("", {"type": "image", "url": "https://x.example/a.png", "runs": [run("Our salon")]})
    assert 'src="https://x.example/a.png"' in found.html and "Our salon" in found.html


def test_a_link_that_notion_has_on_words_of_html_is_named():
    rich = {"type": "text", "runs": [run("<p>Go "), run("here", href="https://x.example"), run("</p>")]}
    found = made("<p>Go here</p>", rich)
    words = "The link that Notion has on “here” is lost, since the body is HTML. Write it as <a href>."
    assert found == Written("<p>Go here</p>", "HTML", (warning("bad_link", words),))
    plain = {"type": "text", "runs": [run("<p>"), run(" https://x.example", href="https://x.example"), run("</p>")]}
    assert made("<p>https://x.example</p>", plain).problems == ()


@pytest.mark.parametrize(
    ("runs", "html"),
    [
        (
            [run("# T\n2) two\n* star\n• dot\n> q\n{% if x %}\nA\n{% endif %}\n\nB")],
            (
                '<h1>T</h1>\n<ol start="2">\n<li>two</li>\n</ol>\n<ul>\n<li>star</li>\n<li>dot</li>\n</ul>\n'
                '<p class="item" style="font-style:italic">q</p>\n{% if x %}\n<p>A</p>\n{% endif %}\n<p>B</p>'
            ),
        ),
        ([run("a\n\n\n"), run("b", bold=True), run("\nc")], "<p>a</p>\n<p><strong>b</strong><br>\nc</p>"),
        (
            [run("[L](https://x.example) and https://y.example. {{ a_url }} {{ name }}")],
            (
                '<p><a class="link" href="https://x.example">L</a> and '
                '<a class="link" href="https://y.example">https://y.example</a>. '
                '<a class="link" href="{{ a_url }}">{{ a_url }}</a> {{ name }}</p>'
            ),
        ),
        ([run("1. "), run("bold", bold=True)], "<ol>\n<li><strong>bold</strong></li>\n</ol>"),
        ([run("a "), run("[b](ftp://x) c"), run("d", code=True)], "<p>a [b](ftp://x) c<code>d</code></p>"),
    ],
)
def test_each_line_of_a_property_is_the_block_that_its_sign_says(runs, html):
    source = "".join(each["text"] for each in runs)
    assert made(source, {"type": "text", "runs": runs}) == Written(html, "words with Notion's formatting")
