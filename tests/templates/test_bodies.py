"""Bodies over real HTTP: byte for byte as the owner wrote them, wherever they lie, and never half of one."""

from dataclasses import replace

import pytest

from funnel_app.deps import Deps
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.audit import audit_templates
from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.serving import check_templates, ready_version
from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.chunks import chunks, utf16_units
from tests.factories import one_sequence
from tests.flows.leads import email_ids, look, opt_in
from tests.templates.conftest import code, text

KEY = "lead_nurture_email_1"
LINE = '<p style="margin:0">Grüße 👩🏽‍🎨 {{ first_name }} – “naïve” café\t&amp;</p>\n'


@pytest.fixture
def desk(desk: Deps) -> Deps:
    """The same, for the one sequence that the template is of."""
    return replace(desk, registry=one_sequence("lead_nurture"))


def body_of(units: int, edge: str) -> str:
    """Return a body of so many UTF-16 units in which the edge's last character straddles every piece of 2,000."""
    body = ""
    while utf16_units(body) < units:
        room = 2000 - utf16_units(body) % 2000
        short = room - 1 if room > 1 else room + 1999
        body += (LINE * (short // utf16_units(LINE)))[:short]
        body += "x" * (2000 - 1 - utf16_units(body) % 2000) + edge
    return body


@pytest.mark.parametrize("edge", ["😀", "👩🏽‍🎨", "é", "\n"])
def test_a_body_of_40_kb_in_chunks_comes_back_byte_for_byte(desk, owner, edge):
    body = body_of(40 * 1024, edge)
    assert utf16_units(body) >= 40 * 1024
    owner.write(KEY, "Hello", *chunks(body))
    assert desk.notebook.find_templates(KEY)[0].html == body
    assert desk.notebook.list_templates()[0].html == body


@pytest.mark.parametrize("pieces", [24, 25, 26, 60, 100])
def test_a_body_of_any_number_of_chunks_is_read_whole(desk, owner, pieces):
    body = "".join(f"{number:04d}" + "y" * 1996 for number in range(pieces))
    owner.write(KEY, "Hello", *chunks(body))
    assert desk.notebook.find_templates(KEY)[0].html == body


def test_what_funnel_writes_comes_back_byte_for_byte_too(desk):
    body = body_of(60_000, "😀")
    page = desk.notebook.create_template(KEY, "Hello", body)
    assert desk.notebook.find_templates(KEY)[0].html == body
    desk.notebook.fill_template(page.id, "Hello", body + "z")
    assert desk.notebook.find_templates(KEY)[0].html == body + "z"


def test_code_blocks_over_pages_of_blocks_and_nested_ones_are_the_body(desk, owner):
    """120 blocks of code among words, one of them in a toggle within a toggle; a page within the page is not ours."""
    note = {"type": "paragraph", "paragraph": {"rich_text": text("a note for the team, not for the reader")}}
    toggle = {"type": "toggle", "toggle": {"rich_text": text("more")}}
    page_id = owner.write(KEY, "Hello")

    def piece(number):
        return code(f"<p>{number}</p>", caption="html")

    owner.add_blocks(page_id, note, *map(piece, range(60)), toggle)
    outer = next(block["id"] for block in blocks_of(owner, page_id) if block["type"] == "toggle")
    (inner,) = owner.add_blocks(outer, toggle)
    owner.add_blocks(inner, code("<p>", "deep 😀", "</p>", caption="HTML"), note)
    owner.add_blocks(page_id, *map(piece, range(60, 120)))
    lines = [f"<p>{number}</p>" for number in range(120)]
    lines.insert(60, "<p>deep 😀</p>")
    assert desk.notebook.find_templates(KEY)[0].html == "\n".join(lines)
    assert ready_version(desk, KEY).html == "\n".join(lines)


def blocks_of(owner, parent_id):
    listed = owner.client.blocks.children.list(parent_id, page_size=100)
    return listed["results"]


def test_the_property_wins_over_code_blocks(desk, owner):
    owner.write(KEY, "Hello", "<p>property</p>", blocks=[code("<p>block</p>")])
    assert desk.notebook.find_templates(KEY)[0].html == "<p>property</p>"


def test_a_half_typed_edit_never_goes_out(desk, owner):
    """The owner types for a while and Notion saves now and then; leads come all the while."""
    page_id = owner.write(KEY, "Hello", "<p>The whole first text, {{ first_name }}.</p>")
    check_templates(desk)
    typed = "<p>The whole second text, which took its time.</p>"
    for minute in range(12):
        owner.rewrite(page_id, typed[: 4 + 3 * minute] + "</p>")
        send_one(desk, f"lead{minute}@resend.dev")
        desk.now.forward(seconds=61)
        if minute % 2:
            check_templates(desk)
    owner.rewrite(page_id, typed)
    for _ in range(4):
        desk.now.forward(seconds=61)
        send_one(desk, f"later{desk.now.at.timestamp():.0f}@resend.dev")
    sent = [payload["html"] for payload in desk.mailer.sent()]
    assert len(sent) == 16
    assert {("The whole first text, Ana." in html, "took its time." in html) for html in sent} == {
        (True, False),
        (False, True),
    }
    assert "took its time." in sent[-1] and "first text" in sent[12]


def send_one(desk, address):
    first = email_ids(opt_in(desk, address))[0]
    deliver(desk, [first])
    assert look(desk, first).state == "sent"


def test_many_emails_of_one_key_cost_one_reading_a_minute(desk, owner):
    owner.write(KEY, "Hello", "<p>Hi</p>")
    before = owner.calls()
    for minute in range(3):
        for lead in range(3):
            send_one(desk, f"lead{minute}x{lead}@resend.dev")
        desk.now.forward(seconds=61)
    assert owner.calls() - before == 1 + 3, "the database is resolved once, then one query a minute"


def test_ten_minutes_without_notion_delay_no_email_that_has_a_good_text(desk, owner):
    owner.write(KEY, "Hello", "<p>Hi</p>")
    send_one(desk, "first@resend.dev")
    owner.switch(fail_always={"status": 503, "code": "service_unavailable", "message": "away"})
    for minute in range(10):
        send_one(desk, f"lead{minute}@resend.dev")
        desk.now.forward(minutes=1)
    owner.switch(fail_always=None)
    send_one(desk, "last@resend.dev")
    assert len(desk.mailer.sent()) == 12


def test_250_templates_are_read_over_three_pages(desk, owner):
    for number in range(250):
        owner.write(f"Newsletter {number}")
    assert len(desk.notebook.list_templates()) == 250


def test_a_template_that_breaks_is_known_and_kept_before_any_lead_is_due(desk, owner):
    page_id = owner.write(KEY, "Hello", "<p>Hi {{ first_name }}</p>")
    assert KEY not in check_templates(desk)
    owner.rewrite(page_id, "<p>Hi {{ first_name }</p>")
    desk.now.forward(minutes=2)
    assert "has no matching" in check_templates(desk)[KEY]
    send_one(desk, "ana@resend.dev")
    assert "Hi Ana" in desk.mailer.sent()[0]["html"]


def test_a_block_that_notion_refuses_fails_its_own_page_only_and_is_not_written_over(desk, owner, monkeypatch):
    page_id = owner.write(KEY, "Hello", blocks=[code("<p>Hi</p>")])
    owner.write("lead_nurture_email_2", "Hello", blocks=[code("<p>Hi {{ first_name }}</p>")])
    read_all = desk.notebook._calls.read_all

    def refusing(call, *args, **query):
        if args == (page_id,):
            raise Rejected("notion", "404 object_not_found: Could not find block", code="object_not_found")
        return read_all(call, *args, **query)

    monkeypatch.setattr(desk.notebook._calls, "read_all", refusing)
    by_key = {each.key: each for each in audit_templates(desk).templates}
    (problem,) = by_key[KEY].problems
    assert problem.code == "unreadable_page" and f"“{KEY}”" in problem.detail and "404" in problem.detail
    assert by_key["lead_nurture_email_2"].status != "fault"
    assert KEY in check_templates(desk) and "lead_nurture_email_2" not in check_templates(desk)
    did = {each.key: each for each in populate(desk)}
    assert did[KEY].did == "kept" and "404" in did[KEY].detail
