"""Strangers who talk slowly: the front door stays open for everybody else, whatever they hold back."""

import json
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from sandbox.processes import answers
from tests.pace import patient

pytestmark = pytest.mark.process(lasts_s=1)
SIGNUP, RESEND = "/webhook/christmas/signup", "/webhook/resend"
MANY = 32
# Signed just now: what is old is refused for that alone.
FORGED = f"X-Funnel-Signature: t=NOW,v1={'0' * 64}"


def post(path: str, *headers: str) -> str:
    lines = (f"POST {path} HTTP/1.1", "Host: funnel", "Content-Type: application/json", "Content-Length: 60000")
    return "\r\n".join([*lines, *headers, "", "{"])


# What each says before it falls silent, and the answer that needs no more of it.
ATTACKS = {
    "a body after a bad signature": (post(SIGNUP, "X-Funnel-Signature: t=1,v1=odd"), 401),
    "a body after an old signature": (post(SIGNUP, f"X-Funnel-Signature: t=1700000000,v1={'0' * 64}"), 401),
    "a body after a wrong secret": (post(SIGNUP, "Authorization: Bearer wrong"), 401),
    "a body of an event without a signature": (post(RESEND), 401),
    "a body of a call to Cal.com's hook": (post("/webhook/christmas/calcom", "X-Cal-Signature-256: odd"), 401),
    "a body of a call to Calendly's hook": (
        post("/webhook/christmas/calendly", "Calendly-Webhook-Signature: t=1"),
        401,
    ),
    "a body to an unknown path": (post("/webhook/nowhere/at/all"), 404),
    "a body for a page that takes none": (post("/healthz"), 405),
    "a body that is too large": (post(SIGNUP, FORGED).replace("60000", "99999"), 413),
    "a body after a signature of the right form": (post(SIGNUP, FORGED), None),
    "a head that does not end": (f"POST {SIGNUP} HTTP/1.1\r\nHost: fun", None),
    "nothing at all": ("", None),
}


def lines(web, stack, said, count):
    address = urlsplit(web.env["PUBLIC_URL"])
    for _ in range(count):
        line = stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=patient(20)))
        line.sendall(said.replace("t=NOW", f"t={int(time.time())}").encode())
        yield line


@pytest.mark.parametrize(("said", "status"), ATTACKS.values(), ids=ATTACKS)
def test_slow_strangers_do_not_shut_the_door_and_hear_what_needs_no_body(web, said, status):
    with ExitStack() as stack:
        slow = list(lines(web, stack, said, MANY))
        assert answers(f"{web.env['PUBLIC_URL']}/healthz", patient(2))
        if status is not None:
            # Tries beyond thirty a minute are throttled, which is an answer too.
            assert {int(line.recv(65536).split(b" ", 2)[1]) for line in slow} <= {status, 429}


def test_a_right_caller_whose_body_comes_late_is_served(web):
    body = json.dumps({"email": "delivered+late@resend.dev"}).encode()
    proof = f"Authorization: Bearer {web.env['HOOK_SECRET']}"
    head = post(SIGNUP, proof, "Expect: 100-continue").replace("60000", str(len(body))).removesuffix("{")
    with ExitStack() as stack:
        (line,) = lines(web, stack, head, 1)
        assert line.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n", "it is asked for the body, and asked once"
        line.sendall(body)
        assert line.recv(65536).startswith(b"HTTP/1.1 202 ")
