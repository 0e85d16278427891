"""Resend's inbox: what people write to us. Its webhook tells only that something came; the rest is asked for here.

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
    """One email as it came: its headers by names in small letters, and its two parts."""

    headers: Mapping[str, str]
    text: str | None
    html: str | None


class Inbox:
    """Asks with the key that the Mailer of this process set. Raises Unavailable, or Rejected with Resend's name."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def read(self, received_id: str) -> IncomingEmail:
        """Return an email that came; Rejected with the code not_found where Resend has it no more."""
        # Pictures within it stay away: as data they are most of its weight.
        said = self._ask(lambda: resend.Emails.Receiving.get(received_id, {"html_format": "cid"}))
        return IncomingEmail(headers_of(said.get("headers")), _text(said.get("text")), _text(said.get("html")))

    def message_id(self, resend_id: str) -> str | None:
        """Return the Message-ID under which one of our own emails went; None where Resend does not say."""
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
    """Return headers by their names in small letters, from an object or from a list of names and values."""
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
    # What no database keeps is none of it.
    return value.replace("\x00", "").encode(errors="replace").decode() if isinstance(value, str) else None
