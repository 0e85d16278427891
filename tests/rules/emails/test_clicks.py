"""Which clicks a person made, and what of them is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from funnel_app.rules.emails.clicks import About, Click, about_of, is_scanned, plain_ip, plain_link

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("https://calendly.com/a/b?email=ana%40x.example#now", "https://calendly.com/a/b"),
        ("HTTPS://Ana:secret@Calendly.com:443/a/", "https://calendly.com:443/a"),
        ("https://funnel.example/u/Zm9vYmFy", "https://funnel.example/u/…"),
        ("http://[::1/x", None),
        ("https://x.example:99999999/", None),
        ("javascript:alert(1)", None),
        ("mailto:ana@x.example", None),
        ("https://x.example/\u202egpj", None),
        ("", None),
    ],
)
def test_of_a_link_only_where_it_leads_is_kept(told, kept):
    assert plain_link(told) == kept


@pytest.mark.parametrize(
    ("link", "about"),
    [
        ("https://calendly.com/businessx/call", About.BOOKING),
        ("https://calendly.com/businessx/call/2026-12-01", About.BOOKING),
        ("https://calendly.com/businessx/calls", None),
        ("https://calendly.com", None),
        ("https://funnel.example/u/…", About.UNSUBSCRIBE),
    ],
)
def test_a_booking_link_is_known_by_its_page(link, about):
    assert about_of(link, "https://calendly.com/businessx/call?month=12", "https://funnel.example") == about


def test_without_a_booking_link_nothing_is_one():
    assert about_of("https://calendly.com/x", "", "https://funnel.example") is None


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        (FIREFOX, False),
        (IPHONE, False),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", True),
        ("BarracudaCentral", True),
        ("python-requests/2.32", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/142", True),
        (None, True),
    ],
)
def test_programs_say_who_they_are(agent, program):
    assert Click(AT, "https://x.example", None, agent).by_program is program


@pytest.mark.parametrize(
    ("others", "scanned"),
    [
        ([], False),
        # One click of a person, told twice.
        ([(AT + timedelta(seconds=1), "https://x.example/a")], False),
        ([(AT + timedelta(seconds=1), "https://x.example/b")], True),
        ([(AT - timedelta(seconds=5), "https://x.example/b")], True),
        ([(AT + timedelta(seconds=6), "https://x.example/b")], False),
    ],
)
def test_two_links_within_seconds_are_a_programs(others, scanned):
    assert is_scanned(Click(AT, "https://x.example/a", None, FIREFOX), others) is scanned


@pytest.mark.parametrize(
    ("told", "kept"), [(" 203.0.113.7", "203.0.113.7"), ("2001:DB8::1", "2001:db8::1"), ("x", None)]
)
def test_an_address_of_the_internet_is_one_or_is_not_kept(told, kept):
    assert plain_ip(told) == kept
