"""The front door as the world reaches it, through gunicorn: what a test client cannot send."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.pace import patient

pytestmark = pytest.mark.process(lasts_s=1)
PATH = "/webhook/christmas/signup"


def call(web, head: str, body: bytes = b"", secret: str | None = None) -> tuple[int, bytes]:
    """Send a request byte for byte; return the status and the rest of what came back."""
    address = urlsplit(web.env["PUBLIC_URL"])
    proof = f"Authorization: Bearer {secret or web.env['HOOK_SECRET']}\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=patient(20)) as line:
        sent = f"{head} HTTP/1.1\r\nHost: funnel\r\nConnection: close\r\n{proof}".encode() + body
        try:
            line.sendall(sent)
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        except ConnectionError:
            return 0, b"cut"
    return int(answer.split(b" ", 2)[1]), answer


def chunked(size: int) -> bytes:
    payload = b'{"email": "delivered+chunks@resend.dev", "x": "' + b"x" * size + b'"}'
    chunks = [payload[start : start + 8192] for start in range(0, len(payload), 8192)]
    framed = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def test_a_body_in_chunks_is_taken_and_one_over_64_kb_is_not(web):
    assert call(web, f"POST {PATH}", chunked(100))[0] == 202
    for size in (65_536, 70_000, 200_000):
        status, answer = call(web, f"POST {PATH}", chunked(size))
        assert status == 413 and b"problem+json" in answer, size


def test_a_stranger_with_a_large_body_is_told_so_before_it_is_read(web):
    assert call(web, f"POST {PATH}", chunked(70_000), secret="wrong")[0] in {0, 401}


@pytest.mark.parametrize("head", ["POST /%00", "GET /u/%ff%fe", f"POST {PATH}%0d%0aX-Evil:1", "GET /k/%ff/api/health"])
def test_odd_addresses_are_answered(web, head):
    status, answer = call(web, head, b"Content-Length: 0\r\n\r\n")
    assert status in {400, 401, 404, 405} and b"Traceback" not in answer and b"X-Evil: 1" not in answer


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "99999999999999999999"])
def test_a_length_that_lies_is_answered(web, length):
    headers = f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    status, answer = call(web, f"POST {PATH}", headers.encode())
    assert status in {400, 413} and b"Traceback" not in answer


def test_a_request_id_goes_in_and_out(web):
    head = b"Content-Type: application/json\r\nX-Request-Id: order-7\r\nContent-Length: 2\r\n\r\n{}"
    status, answer = call(web, f"POST {PATH}", head)
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert status == 422 and b"X-Request-Id: order-7" in headers
    assert list(json.loads(body)["errors"]) == ["email"]
