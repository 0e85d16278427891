"""Files: what programs export is read as what it is, and what is no list says so."""

import io
from datetime import UTC, datetime

import pytest

from funnel_app.lists import files
from funnel_app.lists.consent import time_of
from funnel_app.lists.files import NotAList, form_of, lines_of
from funnel_app.lists.headings import KNOWN, NAMES, guess
from funnel_app.lists.row import Reading, address_in, read_row
from funnel_app.lists.standing import Standing

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
# As the programs write them: the headings, and rows that show what is odd about them.
EXPORTS = {
    "Excel, CSV UTF-8": ("Email,First Name,Last Name\r\nana@example.com,Ana,Roy\r\n", "utf-8-sig"),
    "Excel in German, CSV": ("Vorname;Nachname;E-Mail-Adresse\r\nJürgen;Groß;j@example.com\r\n", "cp1252"),
    "Excel, Unicode text": ("First Name\tLast Name\tE-mail\r\nJürgen\tGroß\tj@example.com\r\n", "utf-16"),
    "UTF-16 without a mark": ("First Name,Last Name,Email\r\nJürgen,Groß,j@example.com\r\n", "utf-16-le"),
    "Excel's own first line": ("sep=;\r\nName;Email\r\nAna Roy;ana@example.com\r\n", "utf-8"),
    "Google Sheets": ("Timestamp,Adresse e-mail,Prénom\n26/11/2026,ana@example.com,Anaïs\n", "utf-8"),
    "Google Contacts": (
        "Given Name,Family Name,E-mail 1 - Value\nAna,Roy,ana@example.com ::: ana.roy@example.com\n",
        "utf-8",
    ),
    "one column without a heading": ("ana@example.com\nbo@example.com\n", "utf-8"),
    "a heading that nobody knows": ("Nom d'usager,Où\nana@example.com,ici\n", "utf-8"),
    "two columns of one name": ("Email;Email;Mail\nyes;ana@example.com;\nno;bo@example.com;\n", "utf-8"),
    "a column called so without addresses": ("Email;Contact\nweekly;ana@example.com\n", "utf-8"),
    "empty lines and quoted ones": ('Email,Notes\n\n,\nana@example.com,"two\nlines, one cell"\n', "utf-8"),
}


def read(text: str, encoding: str = "utf-8", **means: Standing):
    file = io.BytesIO(text.encode(encoding))
    form = form_of(file)
    lines = list(lines_of(file, form))
    reading = Reading(guess(form, lines), means)
    return [read_row(line, reading, NOW) for line in lines]


@pytest.mark.parametrize("name", EXPORTS)
def test_what_programs_export_is_read(name):
    row = read(*EXPORTS[name])[0]
    assert row.address in {"ana@example.com", "j@example.com"} and row.fault is None
    assert row.facts.get("first_name") in {"Ana", "Anaïs", "Jürgen", None}
    assert (row.facts.get("first_name") is None) == (name[:3] in {"one", "a h", "emp", "two", "a c"})


def test_rows_have_the_numbers_that_a_spreadsheet_shows():
    assert [row.number for row in read(*EXPORTS["empty lines and quoted ones"])] == [4]
    assert [row.number for row in read(*EXPORTS["one column without a heading"])] == [1, 2]


@pytest.mark.parametrize(("cells", "standing"), [("Ohio", "unsaid"), ("Unsubscribed", "unsubscribed"), ("", "unsaid")])
def test_a_state_is_where_somebody_lives_unless_it_says_how_they_stand(cells, standing):
    (row,) = read(f"Email,City,State\nana@example.com,Dayton,{cells}\n")
    assert row.standing == standing


@pytest.mark.parametrize(
    ("heading", "cell", "standing"),
    [
        ("Status", "Unsubscribed", "unsubscribed"),
        ("Status", "Active", "subscribed"),
        ("Status", "Bounced", "bounced"),
        ("Status", "Unconfirmed", "unconfirmed"),
        ("Status", "abgemeldet", "unsubscribed"),
        ("Status", "VIP", "unknown"),
        ("Status", "", "unsaid"),
        ("UNSUB_TIME", "2024-12-03 10:20:11", "unsubscribed"),
        ("UNSUB_TIME", "", "unsaid"),
        ("CLEAN_TIME", "2024-12-03 10:20:11", "bounced"),
        ("Unsubscribed from all email", "true", "unsubscribed"),
        ("Unsubscribed from all email", "false", "unsaid"),
        ("Email hard bounce reason", "UNKNOWN_USER", "bounced"),
        ("Portal Spam Report", "TRUE", "complained"),
        ("Marketing contact status", "Non-marketing contact", "unconfirmed"),
        ("Email Marketing Consent", "NEVER_SUBSCRIBED", "unconfirmed"),
        ("Subscribed", "No", "unsubscribed"),
        ("Subscribed", "true", "subscribed"),
        ("Subscribed", "", "unconfirmed"),
        ("Accepts Marketing", "no", "unsubscribed"),
        ("Lead Status", "Open", "unsaid"),
    ],
)
def test_what_another_program_says_of_a_person_counts(heading, cell, standing):
    assert read(f"Email,{heading}\nana@example.com,{cell}\n")[0].standing == standing


def test_one_column_that_says_they_left_outweighs_all_others():
    row = read("Email,Status,Subscribed,Bounced,Opted out\nana@example.com,Active,yes,no,yes\n")[0]
    assert row.standing is Standing.UNSUBSCRIBED


def test_a_person_says_what_an_unknown_word_means():
    row = read("Email,Status\nana@example.com,VIP\n", vip=Standing.SUBSCRIBED)[0]
    assert row.standing is Standing.SUBSCRIBED


@pytest.mark.parametrize(
    ("cells", "evidence"),
    [
        ("yes,", {"consent_text"}),
        ("no,2024-11-03", None),
        (",", set()),
        (",2024-11-03 10:20:11", {"consent_at"}),
        (",3 Nov 2024", {"consent_at"}),
        (",25/11/2024", {"consent_at"}),
        # Two days, and nobody knows which: it stays as it is written.
        (",03/11/2024", {"consent_text"}),
        (",2031-01-01", {"consent_text"}),
        ("ticked the box,2024-11-03", {"consent_at", "consent_text"}),
    ],
)
def test_consent_is_what_the_row_proves(cells, evidence):
    found = read(f"Email,Consent,Consent date\nana@example.com,{cells}\n")[0].evidence
    assert (found if found is None else set(found) - {"consent_source"}) == evidence


@pytest.mark.parametrize(
    "text", ["03/04/2024", "12-11-2024", "2024", "soon", "2099-01-01", "0001-01-01", "0001-01-01T00:00+14:00"]
)
def test_a_time_that_is_none_or_two_is_not_guessed(text):
    assert time_of(text, NOW) is None


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("Ana Roy <ana@example.com>", "ana@example.com"),
        ('"Roy, Ana" <ana@example.com>', "ana@example.com"),
        ("mailto:ana@example.com?subject=Hi", "ana@example.com"),
        (" ana@example.com; bo@example.com", "ana@example.com"),
        ("\u200bana@example.com\u00a0", "ana@example.com"),
        ("'ana@example.com',", "ana@example.com"),
        ("=cmd|'/C calc'!A0", "=cmd|'/C calc'!A0"),
        ("none", "none"),
    ],
)
def test_an_address_is_found_in_what_stands_around_it(cell, address):
    assert address_in(cell) == address


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04\x14\x00", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "page"),
        (b"a,b\n\x00\x01\x02\x00\x00\x00\x00\x00\x05\x06", "bytes that no text has"),
        (b"", "no rows"),
        (b"\n\n , \n", "no rows"),
        (b",".join(b"c%d" % n for n in range(600)), "600 columns"),
        (b'Email\n"' + b"x" * 200_000, "longer than"),
    ],
)
def test_what_is_no_list_says_what_it_is(content, word):
    file = io.BytesIO(content)
    with pytest.raises(NotAList, match=word):
        list(lines_of(file, form_of(file)))


def test_more_rows_than_a_list_has_are_refused(monkeypatch):
    monkeypatch.setattr(files, "MOST_ROWS", 2)
    with pytest.raises(NotAList, match="more than 2 rows"):
        read("a@example.com\n" * 3)


@pytest.mark.parametrize("before", ["", "Email,Notes\nana@example.com,\n"])
def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(monkeypatch, before):
    monkeypatch.setattr(files, "LONGEST_LINE", 1000)
    with pytest.raises(NotAList, match="A line has more than 1,000 characters"):
        read(f"{before}Email,{'a,' * 1000}")


def test_rows_swallowed_by_an_open_quote_are_not_lost_in_silence():
    row = read('Email,Notes\nana@example.com,"never closed\nb@example.com,\nc@example.com,\nd@example.com,\n')[0]
    assert row.fault is not None and "never closed" in row.fault


def test_no_heading_means_two_things():
    assert {name: KNOWN[name] for names in NAMES.values() for name in names} == {
        name: field for field, names in NAMES.items() for name in names
    }
