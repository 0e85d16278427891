"""What people and programs type: corrected, cut or dropped, and never a reason to lose a lead."""

import pytest

from funnel_app.rules.people.names import LONGEST_FIRST, first_name_of, safe_name
from funnel_app.rules.people.typed_text import (
    LINES,
    LONGEST_TRACKING,
    clean,
    cut,
    ip_of,
    says_nothing,
    tracking_of,
    visible,
    zone_of,
)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("  Ana \t Maria ", "Ana Maria"),
        ("Ana\u200b\u202eMaria", "AnaMaria"),
        ("Ana\x00Maria", "Ana Maria"),
        ("Ana\ud800", "Ana"),
        ("Ana\u2028b", "Ana b"),
        ("Ana\u0085b", "Ana b"),
        ("Ana\u2066b", "Anab"),
        ("A\u00a0n\u200ba", "A na"),
        ("Ana\r\nBcc: x", "Ana Bcc: x"),
        ("one two three", "one two"),
        ("a" * 12, None),
        ("undefined", None),
        ("   ", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_text_is_one_line_of_whole_words_or_nothing(typed, wanted):
    assert clean(typed, 10) == wanted


def test_lines_stay_where_they_are_wanted():
    assert clean(" first\r\nsecond\x00 ", 40, LINES) == "first\r\nsecond"


def test_so_many_invisible_characters_that_they_fill_four_times_the_room_leave_nothing():
    assert clean("\u200b" * 40 + "Ana", 10) is None


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("NULL", True),
        (" n/a ", True),
        ("[First Name]", True),
        ("{{contact.first_name}}", True),
        ("${name}", True),
        ("*|FNAME|*", True),
        ("---", True),
        (".", True),
        ("None", True),
        ("[object Object]", True),
        ("%%name%%", True),
        ("{{first_name}}", True),
        ("[solidcore]", False),
        ("Nan", True),
        ("Nanette", False),
        ("{{x", False),
        ("3", False),
    ],
)
def test_placeholders_say_nothing(text, nothing):
    assert says_nothing(text) is nothing


@pytest.mark.parametrize(
    ("text", "wanted"), [("ab cd", "ab cd"), ("ab cdef", "ab"), ("ab   cdef", "ab"), ("abcdef", None)]
)
def test_whole_words_are_kept(text, wanted):
    assert cut(text, 5) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (" ad\x00 ", "ad"),
        (["", None, "first", "second"], "first"),
        ([], None),
        (12, "12"),
        (1.5, "1.5"),
        (True, None),
        ({"a": 1}, None),
        ("", None),
        ("x" * 300, "x" * LONGEST_TRACKING),
    ],
)
def test_tracking_is_one_short_text(given, wanted):
    assert tracking_of(given) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("europe/BERLIN", "Europe/Berlin"),
        (" UTC ", "UTC"),
        ("localtime", None),
        ("Etc/Unknown", None),
        ("right/UTC", None),
        ("../../etc/passwd", None),
        ("Mars", None),
        (3, None),
    ],
)
def test_a_zone_is_one_that_the_world_knows(name, wanted):
    assert zone_of(name) == wanted


@pytest.mark.parametrize(
    ("given", "ip"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7:443 , 10.0.0.1", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", None),
        ("fe80::1%eth0<script>", None),
        ("[fe80::1%25eth0]:443", None),
        ("203.0.113.7:<script>", None),
        ("[2001:db8::1]<script>", None),
        ("unknown", None),
        ("", None),
        (7, None),
    ],
)
def test_an_address_is_the_visitor_s_in_its_usual_form(given, ip):
    assert ip_of(given) == ip


def test_what_is_printable_is_left_alone():
    text = "Béla 李小龍"
    assert visible(text) is text


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Dr. Ana Roy", "Ana"),
        ("Roy, Ana, MBA", "Ana"),
        ("李小龍", "李小龍"),
        ("Major Roy Jones", "Roy"),
        ("Major Jones", None),
        ("major", None),
        ("Roy Major", "Roy"),
        ("Major-General Ann Ford", "Ann"),
        ("Univ.-Prof. Dr. Jan Klein", "Jan"),
        ("Shri Ram Kumar", "Ram"),
        ("The Salon", None),
        ("Dean Jones", "Dean"),
        ("Prof", None),
        ("Prof Roy", None),
        ("JD Roy", "JD"),
        ("Ana", "Ana"),
        ("A", None),
        ("J. Roy", None),
        ("J. R. Roy", None),
        ("V", None),
        ("ana", "ana"),
        ("ANA", "ANA"),
        ("Roy, Ana", "Ana"),
        ("Ana Roy, MBA", "Ana"),
        ("Ana Roy Jr", "Ana"),
        ("Ana Roy Ph.D", "Ana"),
        ("Roy, Ana, CPA", "Ana"),
        ("Mrs Ana-María del Valle", "Ana-María"),
        ("x" * 60_000, None),
        ("undefined", None),
        ("  ", None),
        ("Dr.", None),
        ("MBA", None),
        ("Jr", None),
        ("Ma", "Ma"),
        ("Ana2 Roy", None),
        ("{Ana} Roy", None),
        ("ana@example.com", None),
        ("--- Roy", None),
        ("x" * LONGEST_FIRST + " Roy", "x" * LONGEST_FIRST),
        ("x" * (LONGEST_FIRST + 1) + " Roy", None),
        (None, None),
    ],
)
def test_a_first_name_is_one_to_address_somebody_by(name, first):
    assert first_name_of(name) == first


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Ana Roy", "Ana Roy"),
        ("Zoë 💇", "Zoë 💇"),
        ("Åsa", "Åsa"),
        ("J. R.", "J. R."),
        ("win at spam.example.com", None),
        ("call +1 212 555 0100", None),
        ("null", None),
        (5, None),
    ],
)
def test_a_name_with_a_link_or_a_number_goes_into_no_letter(name, safe):
    assert safe_name(name) == safe
