"""A composed letter is complete, whatever its template forgot, and nothing in it can forge a header."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_app.letters.letter import Envelope, Letter, compose
from funnel_app.letters.parts import prepare
from funnel_app.letters.render import MissingVariable, Parts, RenderFailed
from funnel_app.letters.wire import as_resend

URL = "https://f.example/u/token?a=1&b=2"
ENVELOPE = Envelope(
    sender="BusinessX <hello@mail.example>",
    to="ana@client.example",
    reply_to="coach@mail.example",
    unsubscribe_url=URL,
    company_name="BusinessX Inc.",
    company_address="1 Example Street, Toronto",
    marketing=True,
    tags={"email": "0190-aa", "campaign": "christmas"},
)
BARE = prepare("Hello {{ first_name }}", "<html><body><p>Dear {{ first_name }}</p></body></html>")
FULL = prepare(
    "Hello",
    '<body><p>Dear</p><a href="{{ unsubscribe_url }}">Leave</a> {{ company_name }}<br>{{ company_address }}</body>',
)


def letter(parts: Parts = BARE, **changes: object) -> Letter:
    return compose(parts, {"first_name": "Ana"}, replace(ENVELOPE, **changes))


def test_a_letter_without_a_way_out_gets_one_before_the_end_of_its_body():
    html = letter().html
    assert html.index("Dear Ana") < html.index("https://f.example/u/token?a=1&amp;b=2") < html.index("</body>")
    assert html.index("1 Example Street, Toronto") < html.index("</body>")


def test_the_text_gets_the_same_at_its_end():
    text = letter().text
    assert text.startswith("Dear Ana\n\n--\n")
    assert text.endswith(f"Unsubscribe: {URL}\nBusinessX Inc., 1 Example Street, Toronto\n")


def test_a_letter_that_has_all_of_it_gets_nothing_more():
    full = letter(FULL)
    assert full.html.count("f.example") == full.text.count("f.example") == 1
    assert full.html.count("1 Example Street") == full.text.count("1 Example Street") == 1


def test_only_what_is_missing_is_added():
    only_address = prepare("Hello", "<p>Dear reader</p><p>1 Example Street<br>Toronto</p>")
    found = letter(only_address)
    assert found.html.count("Example Street") == found.text.count("Example Street") == 1
    assert URL in found.text


def test_a_page_without_a_body_tag_gets_its_footer_at_the_end():
    assert letter(Parts("Hello", "<p>Dear</p>", "Dear")).html.startswith("<p>Dear</p><div")


def test_the_footer_stands_once_and_before_the_last_body_end():
    html = letter(Parts("Hello", "<!-- </body> --><p>Dear</p></BODY>", "Dear")).html
    assert html.startswith("<!-- </body> --><p>Dear</p><div")
    assert html.endswith("</div></BODY>")


@pytest.mark.parametrize("marketing", [True, False])
def test_both_kinds_of_mail_have_the_one_click_way_out(marketing):
    headers = letter(marketing=marketing).headers
    assert headers == {"List-Unsubscribe": f"<{URL}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def test_marketing_without_a_way_out_is_not_sent():
    with pytest.raises(RenderFailed, match="unsubscribe"):
        letter(unsubscribe_url="")


def test_other_mail_without_a_way_out_has_no_such_header():
    found = letter(unsubscribe_url="", marketing=False)
    assert found.headers == {}
    assert "Unsubscribe" not in found.html + found.text


def test_the_envelope_decides_who_sends_and_how_to_leave():
    values = {"unsubscribe_url": "https://other.example", "company_address": "elsewhere", "company_name": "Other"}
    found = compose(FULL, values, ENVELOPE)
    assert "other.example" not in found.html
    assert "elsewhere" not in found.text


def test_a_missing_variable_is_raised_through():
    with pytest.raises(MissingVariable):
        compose(BARE, {}, ENVELOPE)


def test_the_companys_own_words_are_escaped():
    html = letter(company_name="<b>Us</b>", company_address="<i>Here</i>").html
    assert "<b>" not in html
    assert "&lt;i&gt;Here&lt;/i&gt;" in html


def test_tags_are_as_resend_accepts_them():
    assert letter(tags={"step name": "christmas/1 é" + "x" * 300}).tags == {
        "step_name": ("christmas_1__" + "x" * 300)[:256]
    }


@given(evil=st.text(alphabet="a\r\n\t\v\f\x00\x85\u2028<> :Bcc"))
def test_nothing_can_begin_another_header(evil):
    found = compose(
        Parts("Hello {{ x }}", "a", "a"),
        {"x": evil},
        replace(ENVELOPE, sender=evil, to=f"a{evil}", reply_to=evil, unsubscribe_url=f"https://f.example/{evil}"),
    )
    lines = [found.sender, found.to, found.reply_to or "", found.subject, *found.headers.values()]
    assert all(len(f"{line}.".splitlines()) == 1 for line in lines)
    assert found.headers["List-Unsubscribe"].count("<") == found.headers["List-Unsubscribe"].count(">") == 1


def test_resend_gets_exactly_its_own_fields():
    found = letter()
    assert as_resend(found) == {
        "from": "BusinessX <hello@mail.example>",
        "to": ["ana@client.example"],
        "subject": "Hello Ana",
        "html": found.html,
        "text": found.text,
        "headers": dict(found.headers),
        "tags": [{"name": "campaign", "value": "christmas"}, {"name": "email", "value": "0190-aa"}],
        "reply_to": "coach@mail.example",
    }


@pytest.mark.parametrize("reply_to", [None, "", " "])
def test_without_a_reply_address_the_field_is_absent(reply_to):
    assert "reply_to" not in as_resend(letter(reply_to=reply_to))


def test_a_repeated_request_has_the_same_bytes_whatever_order_its_tags_came_back_in():
    turned = dict(reversed(ENVELOPE.tags.items()))
    assert repr(as_resend(letter(tags=turned))) == repr(as_resend(letter()))


@pytest.mark.parametrize(
    ("kind", "company", "sentence"),
    [
        (True, "BusinessX", "You receive this email because you asked to hear from BusinessX."),
        (True, "BusinessX Inc.", "You receive this email because you asked to hear from BusinessX Inc."),
        (True, "", "You receive this email because you asked to hear from us."),
        (False, "Us", "This email is about your booking or order with Us. No wish for other emails?"),
    ],
)
def test_the_footer_says_by_what_right_we_write(kind, company, sentence):
    found = letter(marketing=kind, company_name=company)
    told = ", ".join(filter(None, (company, "1 Example Street, Toronto")))
    assert found.text == f"Dear Ana\n\n--\n{sentence} Unsubscribe: {URL}\n{told}\n"
    way_out = '<a href="https://f.example/u/token?a=1&amp;b=2" style="color:#777777">Unsubscribe</a>'
    assert f"{sentence} {way_out}<br>{told}</div></body>" in found.html


def test_a_way_out_has_no_sign_that_would_end_a_header():
    assert letter(unsubscribe_url=' https://f.example/<u> "a" ').headers["List-Unsubscribe"] == "<https://f.example/ua>"
