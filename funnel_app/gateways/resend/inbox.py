"""Inbox: fetch incoming emails, of which the webhook only announces the arrival.

https://resend.com/docs/dashboard/receiving/get-email-content
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import resend
from resend.exceptions import NoContentError, ResendError

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.resend.answers import failure

PROVIDER = "resend"
GONE = "not_found"


@dataclass(frozen=True)
class IncomingEmail:
    """One incoming email: headers by lower-case name, and its two bodies."""

    headers: Mapping[str, str]
    text: str | None
    html: str | None


class Inbox:
    """Uses the key that this process's Mailer set. Raises Unavailable, or Rejected with Resend's code."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def read(self, received_id: str) -> IncomingEmail:
        """Return an incoming email; Rejected with the code not_found if Resend no longer has it."""
        # Without inline images, which are most of the size.
        said = self._ask(lambda: resend.Emails.Receiving.get(received_id, {"html_format": "cid"}))
        return IncomingEmail(headers_of(said.get("headers")), _text(said.get("text")), _text(said.get("html")))

    def message_id(self, resend_id: str) -> str | None:
        """Return the Message-ID of one of our own emails; None if Resend does not say."""
        return _text(self._ask(lambda: resend.Emails.get(resend_id)).get("message_id"))

    def _ask(self, call: Callable[[], Any]) -> Mapping[str, Any]:
        try:
            said = call()
        except NoContentError:
            raise Unavailable(PROVIDER, "The answer was empty.") from None
        except ResendError as error:
            raise failure(error, self._now()) from error
        if not isinstance(said, Mapping):
            raise Unavailable(PROVIDER, f"The answer has another form than expected: {str(said)[:200]}")
        return said


def headers_of(said: object) -> dict[str, str]:
    """Return headers by lower-case name, from an object or a list of pairs."""
    if isinstance(said, Mapping):
        pairs = [(str(name), value) for name, value in said.items()]
    elif isinstance(said, list):
        rows = [row for row in said if isinstance(row, Mapping)]
        pairs = [(str(row.get("name")), row.get("value")) for row in rows]
    else:
        pairs = []
    found: dict[str, str] = {}
    for name, value in pairs:
        values = value if isinstance(value, list) else [value]
        known = [found[name.lower()]] if name.lower() in found else []
        given = [str(each) for each in values if each is not None]
        found |= {name.lower(): "\n".join([*known, *given])} if given else {}
    return found


def _text(value: object) -> str | None:
    # Without null characters, which databases refuse.
    return value.replace("\x00", "").encode(errors="replace").decode() if isinstance(value, str) else None
