"""Resend's events for what a stand-in took: each email is reported as sent and as delivered, signed, over HTTP.

`python -m bench.events STUB_URL WEB_PORT SECRET`, until it is stopped.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

from bench.common import call, post
from sandbox.command_line import command_line
from sandbox.signing import signed_headers

KINDS = ("email.sent", "email.delivered")
CALLERS = 4
EVERY_S = 0.2


def events_of(email: str, resend_id: str, secret: str) -> Iterator[bytes]:
    """Yield the calls that report one email."""
    now = datetime.now(UTC)
    for kind in KINDS:
        data: dict[str, Any] = {"email_id": resend_id, "tags": {"email": email}, "to": ["a@resend.dev"]}
        body = json.dumps({"type": kind, "created_at": now.isoformat(), "data": data}).encode()
        headers = signed_headers(secret, f"msg_{kind}_{email}", int(now.timestamp()), body)
        yield post("/webhook/resend", body, headers.items())


def main(stub_url: str, port: int, secret: str) -> None:
    """Report each email as it arrives."""
    told = 0
    while True:
        with urlopen(f"{stub_url}/seen", timeout=60) as response:
            emails = json.load(response)["emails"]
        fresh = [email for email, _ in emails[told:]]
        call(port, [each for email in fresh for each in events_of(email, email.replace("-", ""), secret)], CALLERS)
        told = len(emails)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main(**command_line(__doc__, stub_url="", port=0, secret=""))
