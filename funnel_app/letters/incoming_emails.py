"""Incoming emails as plain text: their HTML is never shown, and long ones are cut."""

from email.errors import HeaderParseError
from email.header import decode_header, make_header

from selectolax.lexbor import LexborHTMLParser

from funnel_app.letters.words import one_line, printable, tidy

LONGEST_TEXT, LONGEST_HTML, LONGEST_SUBJECT = 20_000, 200_000, 300
# Parsing is quadratic in the nesting depth: forty thousand levels took six seconds.
MOST_TAGS = 8_000
CUT = "\n\n[The rest was left out: read it at Resend.]\n"
_UNREAD = ["head", "style", "script", "title", "template", "noscript", "textarea", "select", "iframe", "object", "svg"]
_ENDS_LINE = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "table", "ul", "ol", "hr", "pre")


def text_of(text: str | None, html: str | None) -> str:
    """Return an email's text part, else its HTML's words; cut to a readable length."""
    said = text if text and text.strip() else _words_of(html or "")
    clean = tidy(printable(said[: 4 * LONGEST_TEXT])).strip()
    whole = len(clean) <= LONGEST_TEXT and len(said) <= 4 * LONGEST_TEXT
    return clean if whole else clean[:LONGEST_TEXT].rstrip() + CUT


def subject_of(subject: str) -> str:
    """Return a subject in one line, cut to a reasonable length."""
    return one_line(decoded(subject[: 4 * LONGEST_SUBJECT]))[:LONGEST_SUBJECT]


def decoded(header: str) -> str:
    """Return a header's decoded words (RFC 2047)."""
    if "=?" not in header:
        return header
    try:
        return str(make_header(decode_header(header))) or header
    except (HeaderParseError, LookupError, ValueError):
        return header


def _words_of(html: str) -> str:
    page = LexborHTMLParser("<".join(html[:LONGEST_HTML].split("<", MOST_TAGS)[:MOST_TAGS]))
    page.strip_tags(_UNREAD)
    body = page.body
    if body is None:
        return ""
    for node in body.css(",".join(_ENDS_LINE)):
        node.insert_after("\n")
    lines = body.text(separator="").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)
