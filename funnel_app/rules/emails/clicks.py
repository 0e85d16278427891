"""Clicks: which were made by a person, and which by a program that scans links before the reader sees them.

Mail gateways open links within seconds to check them, usually all of them. One click of a person may be reported twice
(https://github.com/resend/resend-node/issues/901), but never clicks on two links at once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

TOGETHER = timedelta(seconds=5)
LONGEST_LINK, LONGEST_AGENT = 500, 200
# Parts of the names by which programs call themselves; browsers have none of them.
_PROGRAMS = re.compile(
    r"bot\b|crawl|spider|scan|preview|headless|barracuda|mimecast|proofpoint|safelinks|fortinet|sophos|symantec|trendmicro"
    r"|mcafee|cisco|virustotal|urlhaus|google-safety|googleimageproxy|yahoomailproxy|facebookexternalhit|whatsapp|skype"
    r"|curl/|wget/|python|java/|okhttp|go-http-client|node-fetch|axios|libwww|apache-http|httpx|phantomjs|slackbot",
    re.IGNORECASE,
)
_OURS = re.compile(r"/u/[^/]{1,200}$")


class By(StrEnum):
    """Who made a click, as far as it shows."""

    PERSON = "person"
    SCANNER = "scanner"


class About(StrEnum):
    """What the link of a click is to Funnel."""

    BOOKING = "booking"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Click:
    """One click as Resend reports it, with everything that the outside could have forged made safe."""

    at: datetime
    link: str
    ip: str | None
    agent: str | None

    @property
    def by_program(self) -> bool:
        """Whether the user agent is a program's, or missing."""
        return self.agent is None or _PROGRAMS.search(self.agent) is not None


def plain_link(text: str) -> str | None:
    """Return a link without query and fragment, which may identify its reader; None for no link."""
    try:
        parts = urlsplit(text.strip()[:2000])
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not (host + parts.path).isprintable():
        return None
    # An unsubscribe link's token identifies its reader.
    path = _OURS.sub("/u/…", parts.path.rstrip("/"))
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}"[:LONGEST_LINK]


def plain_ip(text: str) -> str | None:
    """Return an IP address in its canonical form; None for anything else."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return None


def about_of(link: str, booking_link: str, public_url: str) -> About | None:
    """Return what a plain link is: the campaign's booking page, our unsubscribe page, or neither."""
    if link == f"{plain_link(public_url)}/u/…":
        return About.UNSUBSCRIBE
    page = plain_link(booking_link)
    return About.BOOKING if page and (link == page or link.startswith(f"{page}/")) else None


def is_scanned(click: Click, others: Iterable[tuple[datetime, str]]) -> bool:
    """Say whether a click is one of several on different links within seconds, given the email's other clicks."""
    return any(link != click.link and abs(at - click.at) <= TOGETHER for at, link in others)
