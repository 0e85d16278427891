"""What a stranger's email says is plain text, however it was written."""

import pytest

from funnel_app.letters.incoming_emails import CUT, LONGEST_TEXT, subject_of, text_of


def test_the_text_part_goes_before_the_html():
    assert text_of("Yes, please.\r\n\r\n\r\n\r\nAna", "<p>No</p>") == "Yes, please.\n\nAna"


def test_of_html_only_the_words_are_read():
    html = (
        "<head><title>t</title><style>p{}</style></head><p>Yes,<br>please <b>call</b></p>"
        "<script>alert(1)</script><svg><script>x</script></svg><div>Ana</div><img src=x onerror=alert(1)>"
    )
    assert text_of(" ", html) == "Yes,\nplease call\nAna"


def test_what_is_longer_than_people_write_is_cut_and_says_so():
    said = text_of("a" * 5_000_000, None)
    assert said.endswith(CUT)
    assert len(said) == LONGEST_TEXT + len(CUT)
    assert text_of("a" + " \n" * 500_000, None) == "a" + CUT
    assert text_of(None, "<div>" * 100_000) == ""
    assert "far down" not in text_of(None, "<b>" * 8_000 + "far down"), "a parser takes the square of their number"


def test_nothing_of_a_terminal_or_a_second_line_comes_with_it():
    assert text_of("a\x1b[2Jb\x00", None) == "a[2Jb"
    assert text_of("half a \ud83d sign", None) == "half a  sign"
    assert subject_of("Re:\r\nBcc: x\u2028y" + "z" * 999)[:14] == "Re: Bcc: x yzz"


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("=?iso-8859-1?q?J=F6rg?= =?utf-8?b?YQ==?=", "J\u00f6rga"),
        ("=?utf-8?q?Hi=0D=0ABcc:_x?=", "Hi Bcc: x"),
        ("=?nobody?q?x?=", "=?nobody?q?x?="),
        ("=?utf-8?b?####?=", "=?utf-8?b?####?="),
    ],
)
def test_a_subject_in_the_letters_of_the_wire_reads_as_it_was_written(subject, said):
    assert subject_of(subject) == said
