"""What owners write, read as what they meant: where that is certain a letter is made of it, else it is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from funnel_app.flows.templates.starters import LAYOUT
from funnel_app.letters.problem import fault, warning
from funnel_app.letters.written.html import BUTTON, PREVIEW_CHARS
from funnel_app.letters.written.source import Written, read_source

FRAME = LAYOUT.read_text()
PICTURE = 'style="display:block;max-width:100%;height:auto;margin:0 0 18px;border:0"'


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
        ("![](https://x.example/a.png) x", "Markdown", f'<img src="https://x.example/a.png" {PICTURE}>\n<p>x</p>'),
        ("2. b\n3. c", "Markdown", '<ol start="2">\n<li>b</li>\n<li>c</li>\n</ol>'),
        ("1. a", "Markdown", "<ol>\n<li>a</li>\n</ol>"),
        ("> a\n>\n> b", "Markdown", '<div class="item" style="font-style:italic"><p>a</p>\n<p>b</p></div>'),
        (
            '[A "q" & b](https://x.example/?a="b"&c)',
            "Markdown",
            BUTTON.format(href="https://x.example/?a=&quot;b&quot;&amp;c", label='A "q" &amp; b'),
        ),
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


NO_MAILBOX, LETTER = (
    "which no mailbox can show.",
    "and it is not certain which is the letter. Leave only the letter there.",
)
HERE = "and put that here."
CODES = "The body has HTML codes (such as &lt;p&gt;) among words, which readers would see. Type < and > instead"


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (
            "<mjml><mj-body></mj-body></mjml>",
            "not_html",
            f"The body is MJML source, {NO_MAILBOX} Export it as HTML (mjml.io does), {HERE}",
        ),
        (
            '{"body": {"rows": []}}',
            "not_html",
            f"The body is an email builder's design file (JSON), {NO_MAILBOX} Export it there as HTML, {HERE}",
        ),
        (
            "{\\rtf1\\ansi Hi}",
            "not_html",
            f"The body is a word processor's file (RTF), {NO_MAILBOX} Copy its words, and paste them here.",
        ),
        (
            "MIME-Version: 1.0\nContent-Type: text/html\n\n<p>Hi</p>",
            "not_html",
            f"The body is a whole email with its headers, {NO_MAILBOX} Copy its HTML part, and put that here.",
        ),
        ("Write &lt;b&gt; here", "not_html", f"{CODES}, or leave them out."),
        (
            "Hi\n```html\n<p>Hi</p>\n```",
            "code_or_words",
            f"The body has a fence (```html) and words beside it, {LETTER}",
        ),
        (
            "```html\n<p>A</p>\n```\n```html\n<p>B</p>\n```",
            "code_or_words",
            f"The body has 2 fences (```), {LETTER}",
        ),
        ("x" * 40_001, "too_large", "The body has 40,001 characters of words; a letter may have 40,000."),
    ],
)
def test_what_is_not_certain_is_named_and_nothing_is_made(source, code, words):
    assert made(source) == Written("", "", (fault(code, words),))


def test_a_table_in_markdown_is_named():
    words = "The body has a table in Markdown, of which no email can be made: write its rows as a list."
    assert made("a | b\n--|--\n1 | 2") == Written("", "Markdown", (fault("not_makeable", words),))


LEFT_OUT = "which does not start with https://: it was left out."


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (
            "Hi <b>Ana</b>,\nline\nline",
            "breaks_lost",
            (
                "The body is HTML without paragraphs, so that its line breaks are lost. Put <p> around each, or <br>; "
                "or leave all HTML out, and Funnel makes the letter."
            ),
        ),
        (
            "<p>Hi **{{ x }}na** there</p>",
            "markdown_in_html",
            (
                "The body is HTML, and “**{{ x }}na**” in it is Markdown, which readers see as it stands. Write "
                "<strong> or <a href>."
            ),
        ),
        ("[x](javascript:alert) there", "bad_link", f'A link goes to "javascript:alert", {LEFT_OUT}'),
        (f"[x](/{'a' * 90}) there", "bad_link", f'A link goes to "/{"a" * 79}", {LEFT_OUT}'),
    ],
)
def test_what_reads_badly_is_warned_of(source, code, words):
    assert made(source).problems == (warning(code, words),)


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


NO_EMAIL = "of which no email can be made"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            {"type": "table"},
            f"a table, {NO_EMAIL}: write its rows as a list, or put the letter into a code block as HTML.",
        ),
        (
            {"type": "toggle", "runs": [run("more")]},
            f"a toggle, {NO_EMAIL}: an email cannot unfold: write its words as paragraphs.",
        ),
        (
            {"type": "heading_1", "folded": True},
            f"a toggle, {NO_EMAIL}: an email cannot unfold: write its words as paragraphs.",
        ),
        (
            {"type": "unsupported"},
            (
                f"a block that Notion does not hand out (a button or a form, say), {NO_EMAIL}: delete it, or write "
                "it in words."
            ),
        ),
        (
            {"type": "link_to_page"},
            f"a link to a page in Notion, {NO_EMAIL}: link to your website: readers cannot open that page.",
        ),
        ({"type": "equation"}, f"an equation, {NO_EMAIL}: write it in words."),
        ({"type": "video"}, f"a block of the kind “video”, {NO_EMAIL}: link to it, or say it in words."),
        ({"type": "bookmark"}, f"a block of the kind “bookmark”, {NO_EMAIL}: link to it, or say it in words."),
    ],
)
def test_a_block_that_no_email_can_be_is_named(block, words):
    assert made("", paragraph("Hi"), block).problems == (fault("not_makeable", f"The page has {words}"),)


def test_a_picture_that_lies_in_notion_is_named():
    (problem,) = made("", paragraph("Hi"), {"type": "image", "hosted": True}).problems
    assert (problem.code, problem.blocking) == ("expiring_image", True)
    assert problem.detail == (
        "A picture on the page lies in Notion, whose addresses die within the hour, and with them the picture. "
        "Upload it to your website and embed it in Notion by that https:// address."
    )


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


@pytest.mark.parametrize(
    ("source", "preview"),
    [
        ("Hi Ana,\n\nYour week\nis here.", "Your week is here."),
        ("# A\n\nHi {{ first_name }}\n\nR&D <b", "R&amp;D &lt;b"),
        ("Only Ana,", ""),
        ("[Book](https://x.example)\n\nNow", "Now"),
        ("word " * 22, ("word " * 22).strip()),
        ("word " * 40, "word " * 21 + "word…"),
        ("a" * PREVIEW_CHARS, "a" * PREVIEW_CHARS),
    ],
)
def test_the_preview_is_the_first_sentence_after_the_greeting(source, preview):
    assert read_source(source, (), "[preview]|[reason]").html == (
        f"{preview}|You receive this email because you were in touch with us."
    )
