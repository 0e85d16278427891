"""What owners write, read as what they meant: where that is certain a letter is made of it, else it is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from funnel_app.flows.templates.starters import LAYOUT
from funnel_app.letters.problem import fault, warning
from funnel_app.letters.written.source import Written, read_source
from funnel_app.letters.written.write import BUTTON, PREVIEW_CHARS

FRAME = LAYOUT.read_text()
SERIF = "font-family:Georgia,'Times New Roman',serif;line-height:1.3"
LOOKS = "<p><u><em>a</em></u> <code><s>b</s></code></p>"


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
            (
                '<img src="https://x.example/a.png" alt="Our &quot;salon&quot;" '
                'style="display:block;max-width:100%;height:auto;margin:0 0 18px;border:0">'
            ),
        ),
        (paragraph(run("a", underline=True, italic=True), run(" "), run("b", strike=True, code=True)), LOOKS),
    ],
)
def test_each_block_is_written_in_the_layouts_look(block, html):
    assert made("", block) == Written(html, "words typed on the page")


def test_a_link_that_no_reader_can_follow_is_left_out_and_named_wherever_it_stands():
    for kind, tag in (("paragraph", "p"), ("to_do", "li"), ("heading_1", "h1")):
        found = made("", {"type": kind, "runs": [run("See "), run("this" * 20, href="ftp://x.example", bold=True)]})
        assert f"<{tag}>See <strong>{'this' * 20}</strong></{tag}>" in found.html
        assert found.problems == (warning("bad_link", f'A link goes to "ftp://x.example", {LEFT_OUT}'),)
    for href in ("/0123abc", "https://www.notion.so/0123abc", "https://app.notion.com/p/1"):
        words = f"The link on “{'this' * 10}” goes to a page in Notion, which readers cannot open: it was left out."
        assert made("", paragraph(run("this" * 20, href=href))).problems == (warning("bad_link", words),)


def test_words_and_code_on_one_page_are_never_two_letters():
    words = (
        "The page has words and a code block, and either could be the letter. Delete the one that is not, or give the "
    )
    words += "code block the caption “html” if it is the letter."
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
    words = "The link that Notion has on “here” is lost, since the body is HTML. Write it as <a href>."
    assert found == Written("<p>Go here</p>", "HTML", (warning("bad_link", words),))
    plain = {"type": "text", "runs": [run("<p>"), run(" https://x.example", href="https://x.example"), run("</p>")]}
    assert made("<p>https://x.example</p>", plain).problems == ()


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
