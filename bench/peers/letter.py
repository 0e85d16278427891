"""The work of every stack: submit one email of 8 KB in its own call, with a key. Run in the peers' environment."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import requests

URL = f"{os.environ['STUB_URL']}/emails"
PARAGRAPH = "<p style='font-family:Arial;font-size:14px'>{name}, here is what your numbers say today.</p>\n"
BODY = PARAGRAPH * (8000 // len(PARAGRAPH))


def submit(name: str) -> None:
    """Send one email; raises if it was not accepted, so that the stack retries it."""
    letter = {
        "from": "BusinessX <hello@mail.businessx.example>",
        "to": [f"{name}@resend.dev"],
        "subject": "Your numbers",
        "html": BODY.replace("{name}", name),
        "tags": [{"name": "email", "value": name}],
    }
    headers = {"Authorization": "Bearer re_bench", "Idempotency-Key": name}
    requests.post(URL, json=letter, headers=headers, timeout=30).raise_for_status()


def planned() -> Iterator[tuple[str, datetime]]:
    """Yield the names and due times from standard input."""
    for name, due in json.load(sys.stdin):
        yield name, datetime.fromtimestamp(due, UTC)
