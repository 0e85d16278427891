"""Links in what people type: what a mail program would make one of, and that letters show none."""

import pytest

from funnel_app.campaigns.links import APART, carries_link, carries_number, unlinked

LINKS = [
    "Win at casino-pills.ca", "bonus.lol", "evil.ai", "x.shop/y", "salon-pills.salon", "evil.in now", "evil。ca",
    "ｅｖｉｌ．ｃｏｍ", "evil.\u200bcom", "evil.co.uk!", "(evil.com)", "evil.com:80", "1.2.3.4/x", "bit.ly/abc",
    "any.tld/path", "www.x", "//x", "HTTPS://X", "chrome://x", "mailto:a", "tel:5551234", "javascript:alert(1)",
    "ana@evil.example", "evil.co", "evil.de", "пример.рф", "xn--e1afmkfd.xn--p1ai",
]  # fmt: skip
NAMES = [
    "St.Vincent", "J.R. Smith", "A.Co", "Ana & Co.", "D'Arcy", "@salon", "Data: The Salon", "and/or", "Salon No. 1",
    "مریم\u200cزاده", "👩\u200d🎨 Zoë", "9.5", "Dr.Who", "St. Ives", "12:30", "Hair & Now...", "",
    "O’Brien-Smith", "Нина", "محمد", "Anne–Marie", "李小龍",
]  # fmt: skip


@pytest.mark.parametrize("text", LINKS)
def test_what_a_mail_program_makes_a_link_of_is_one(text):
    assert carries_link(text)


@pytest.mark.parametrize("text", NAMES)
def test_what_only_looks_odd_is_none(text):
    assert not carries_link(text) and not carries_number(text)


@pytest.mark.parametrize("text", [*LINKS, "Hair.Co", "Call +1 888 555 0100", "t.co"])
def test_shown_in_a_letter_it_reads_the_same_and_no_program_reads_over_the_gaps(text):
    shown = unlinked(text)
    assert shown.replace(APART, "") == text.replace(APART, "")
    pieces = shown.split(APART)
    assert not any(carries_link(piece.lstrip(".:/@")) for piece in pieces) or text.lower().startswith(("//", "www"))
    assert not any(map(carries_number, pieces))


@pytest.mark.parametrize(
    "text", ["Ana", "Tuesday, January 5 at 3:00 PM EST", "12 Main St., Toronto M5V 2T6", "Kim & Co."]
)
def test_what_no_program_makes_a_link_of_stays_as_it_is(text):
    assert unlinked(text) == text


NUMBERS = [
    "416-555-0100", "+44 20 7946 0958", "(416) 555 0100", "416–555–0100", "416‑555‑0100", "416·555·0100",
    "416/555/0100", "416_555_0100", "416\u200c555\u200b0100", "416\u2063555\u20630100", "④①⑥⑤⑤⑤⓪①⓪⓪",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_that_a_telephone_would_call_is_one(text):
    assert carries_number(text)


@pytest.mark.parametrize("text", NUMBERS[:8])
def test_shown_in_a_letter_no_telephone_finds_it(text):
    shown = unlinked(f"Call {text} now")
    assert shown.replace(APART, "") == f"Call {text} now" and not any(map(carries_number, shown.split(APART)))
