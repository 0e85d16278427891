"""Letters that an owner writes in Notion without any HTML, over real HTTP, from the page to what the lead gets."""

from dataclasses import replace

import pytest

from funnel_app.deps import Deps
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.audit import audit_templates
from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.preview import preview
from tests.factories import one_sequence
from tests.flows.leads import email_ids, look, opt_in
from tests.templates.conftest import block, bold, code, link, text

KEY = "lead_nurture_email_1"
PAGE = [
    block("heading_1", "Your week, ", bold("planned")),
    block("paragraph", "Hi {{ first", bold("_name }},")),
    block("paragraph", "See ", link("our shop", "https://shop.example"), " before Friday."),
    block("paragraph"),
    block("bulleted_list_item", "Prices"),
    block("bulleted_list_item", "Rooms"),
    block("image", type="external", external={"url": "https://x.example/a.png"}, caption=text("Our salon")),
    block("divider"),
    block("paragraph", "[Book your call]({{ calendly_link }})"),
]


@pytest.fixture
def desk(desk: Deps) -> Deps:
    """The same, for the one sequence that the template is of."""
    return replace(desk, registry=one_sequence("lead_nurture"))


def audited(desk):
    return next(each for each in audit_templates(desk).templates if each.key == KEY)


def populated(desk):
    return next(each for each in populate(desk) if each.key == KEY)


def test_a_letter_typed_on_the_page_goes_out_in_the_layout(desk, owner):
    owner.write(KEY, "Your week", blocks=PAGE)
    assert (audited(desk).status, audited(desk).read_as) == ("ok", "words typed on the page")
    assert populated(desk).did == "kept"
    first = email_ids(opt_in(desk, "ana@resend.dev"))[0]
    deliver(desk, [first])
    assert look(desk, first).state == "sent"
    (sent,) = desk.mailer.sent()
    assert 'href="https://shop.example"' in sent["html"] and "Unsubscribe" in sent["html"]
    assert (
        "Hi Ana," in sent["text"]
        and "  * Prices\n  * Rooms" in sent["text"]
        and "our shop (https://shop.example)" in sent["text"]
    )
    assert "Book your call (http" in sent["text"] and "{{" not in sent["html"]


@pytest.mark.parametrize(
    ("body", "read_as"),
    [("Hi {{ first_name }},\n\n**soon**", "Markdown"), ("Hi {{ first_name }},\nsoon", "plain words")],
)
def test_words_in_the_property_or_in_a_code_block_are_a_letter(desk, owner, body, read_as):
    owner.write(KEY, "Hello", body)
    owner.write("lead_nurture_email_2", "Hello", blocks=[code(body, language="markdown")])
    for key in (KEY, "lead_nurture_email_2"):
        shown = preview(desk, key)
        assert shown.read_as == read_as and "soon" in shown.letter.text and "Unsubscribe" in shown.letter.text


def test_links_and_looks_of_the_property_are_kept(desk, owner):
    page_id = owner.write(KEY, "Hello", "x")
    rich = [text("Hi {{ first_name }}, ")[0], link("book here", "https://cal.example/ana"), bold(" now")]
    owner.client.pages.update(page_id, properties={"Email Body HTML": {"rich_text": rich}})
    letter = preview(desk, KEY).letter
    assert "book here (https://cal.example/ana) now" in letter.text and "<strong" in letter.html


@pytest.mark.parametrize(
    ("blocks", "body"),
    [
        ([code("<p>the letter</p>"), code("p {}", language="css")], "the letter"),
        ([code("<p>the letter</p>", caption="HTML"), code("<p>the other</p>")], "the letter"),
        ([code("<!doctype html><html><body><p>the"), code(" letter</p></body></html>")], "letter"),
    ],
)
def test_of_several_code_blocks_the_one_named_html_is_the_letter(desk, owner, blocks, body):
    owner.write(KEY, "Hello", blocks=blocks)
    letter = preview(desk, KEY).letter
    assert body in letter.html and "the other" not in letter.html and "p {}" not in letter.html


def test_two_letters_on_one_page_are_never_one(desk, owner):
    owner.write(KEY, "Hello", blocks=[code("<p>first version</p>"), code("<p>second version</p>")])
    (problem,) = audited(desk).problems
    assert problem.code == "several_code_blocks" and "2 code blocks (html, html)" in problem.detail
    assert populated(desk).did == "kept"


LETTER = "Hi {{ first_name }}, this is what I would rather say to you this week, since the season is near and so on."


@pytest.mark.parametrize("beside", [[block("paragraph", LETTER)], [block("toggle"), code(f"<p>{LETTER}</p>")]])
def test_a_letter_beside_the_property_that_is_sent_is_named(desk, owner, beside):
    owner.write(KEY, "Hello", "<p>Hi {{ first_name }}</p>", blocks=beside)
    shown = preview(desk, KEY)
    assert "rather say" not in shown.letter.text
    (told,) = [problem for problem in audited(desk).problems if problem.code == "unsent_words"]
    assert "Hi {{ first_name }}, this" in told.detail and "goes to nobody" in told.detail
    assert told.code in [problem.code for problem in shown.problems] and audited(desk).status == "warning"


@pytest.mark.parametrize("beside", [[], [block("paragraph", "Ask Ana before you change it.")], [block("unsupported")]])
def test_a_note_beside_the_property_is_the_owners_own(desk, owner, beside):
    owner.write(KEY, "Hello", "<p>Hi {{ first_name }}</p>", blocks=beside)
    assert "unsent_words" not in [problem.code for problem in (*audited(desk).problems, *preview(desk, KEY).problems)]


@pytest.mark.parametrize(
    "written",
    [
        block("to_do", "call Ana"),
        block("table", table_width=2, has_column_header=False, has_row_header=False),
        block("image", type="file", file={"url": "https://s3.example/a.png?X-Amz-Expires=3600"}),
        block("unsupported"),
        block("embed", url="https://x.example"),
        block("synced_block", synced_from=None),
        block("child_page", title="My notes"),
        block("equation", expression="a"),
        block("divider"),
    ],
    ids=lambda written: written["type"],
)
def test_populate_puts_no_starter_over_a_page_with_any_block(desk, owner, written):
    owner.write(KEY, "", blocks=[block("paragraph"), written])
    populated(desk)
    (page,) = desk.notebook.find_templates(KEY)
    assert page.written and page.html == ""


def test_words_within_other_blocks_are_found_however_deep(desk, owner):
    page_id = owner.write(KEY, "Hello", blocks=[block("column_list")])
    (columns,) = owner.client.blocks.children.list(page_id)["results"]
    (column,) = owner.add_blocks(columns["id"], block("column"))
    assert populated(desk).did == "filled", "empty columns are no words"
    owner.rewrite(page_id)
    owner.add_blocks(column, block("paragraph", "Deep words"))
    assert populated(desk).did == "kept" and "Deep words" in preview(desk, KEY).letter.text


def test_a_picture_that_lies_in_notion_is_named_and_its_address_goes_nowhere(desk, owner):
    hosted = block("image", type="file", file={"url": "https://s3.example/a.png?X-Amz-Expires=3600"})
    owner.write(KEY, "Hello", blocks=[block("paragraph", "Hi"), hosted])
    (problem,) = audited(desk).problems
    assert problem.code == "expiring_image" and audited(desk).status == "fault"


@pytest.mark.parametrize(
    ("words", "code_"),
    [("Hi {{ first_name|default(“you”) }}", "curly_quotes"), ("Hi {{ frist_name }}", "unknown_variable")],
)
def test_the_gate_reads_what_is_made_of_typed_words(desk, owner, words, code_):
    owner.write(KEY, "Hello", blocks=[block("paragraph", words)])
    assert code_ in [problem.code for problem in audited(desk).problems]
