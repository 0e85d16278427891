"""Letter: the exact message to one person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from funnel_app.letters.footer import Footer
from funnel_app.letters.render import Parts, RenderFailed, render
from funnel_app.letters.shape import read_marked, unmarked
from funnel_app.letters.words import one_line

_NOT_IN_TAGS, _NOT_IN_HEADERS = re.compile(r"[^A-Za-z0-9_-]"), re.compile(r"[\s<>\"]")
_MARKETING = "You receive this email because you asked to hear from {company}."
_TRANSACTIONAL = "This email is about your booking or order with {company}. No wish for other emails?"


@dataclass(frozen=True)
class Envelope:
    """Sender, recipient, company, unsubscribe link and tags of a letter."""

    sender: str
    to: str
    reply_to: str | None
    unsubscribe_url: str
    company_name: str
    company_address: str
    marketing: bool
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Letter:
    """One complete message; the same parts, values and envelope give the same letter."""

    sender: str
    to: str
    reply_to: str | None
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]
    tags: Mapping[str, str]


def compose(parts: Parts, values: Mapping[str, object], envelope: Envelope) -> Letter:
    """Return the letter with footer and List-Unsubscribe headers; raises LetterError."""
    url = _url(envelope)
    rendered = render(parts, {**values, **_from_envelope(envelope, url)})
    footer = _footer(envelope, url)
    html = unmarked(_seen(rendered.marked, footer))
    return Letter(
        sender=one_line(envelope.sender),
        to=one_line(envelope.to),
        reply_to=one_line(envelope.reply_to or "") or None,
        subject=rendered.subject,
        html=html,
        text=footer.under_text(rendered.text),
        headers=_headers(url),
        tags={_tag(name): _tag(value) for name, value in envelope.tags.items()},
    )


def _seen(html: str, footer: Footer) -> str:
    """Return the page with its footer; raises RenderFailed if no words or no unsubscribe link are visible."""
    made = read_marked(html, footer.url, footer.address_word)
    if made.shows_nothing:
        raise RenderFailed("The reader would see nothing of it: its words are hidden or swallowed by broken HTML.")
    whole = footer.under_html(html, made)
    if whole is not html and footer.url and footer.url not in read_marked(whole, footer.url, footer.address_word).links:
        raise RenderFailed("The reader would not see the unsubscribe link: broken HTML swallows the end of the letter.")
    return whole


def _url(envelope: Envelope) -> str:
    """Return the unsubscribe link, safe for a header; raises RenderFailed if marketing has none."""
    url = _NOT_IN_HEADERS.sub("", one_line(envelope.unsubscribe_url))
    if envelope.marketing and not url:
        raise RenderFailed("A marketing letter needs an unsubscribe link.")
    return url


def _from_envelope(envelope: Envelope, url: str) -> dict[str, object]:
    """Return the variables that must agree with the headers and the footer."""
    return {
        "unsubscribe_url": url,
        "company_name": envelope.company_name,
        "company_address": envelope.company_address,
    }


def _footer(envelope: Envelope, url: str) -> Footer:
    sentence = _MARKETING if envelope.marketing else _TRANSACTIONAL
    # The sentence has a full stop of its own: “BusinessX Inc.” has one too.
    company = one_line(envelope.company_name).removesuffix(".") or "us"
    return Footer(url, sentence.format(company=company), envelope.company_name, envelope.company_address)


def _headers(url: str) -> dict[str, str]:
    """Return the one-click unsubscribe headers of RFC 8058."""
    if not url:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _tag(text: str) -> str:
    """Return a text as Resend allows it in a tag: ASCII letters, digits, _ and -, at most 256."""
    return _NOT_IN_TAGS.sub("_", text)[:256]
