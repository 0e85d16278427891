"""Only what Resend signed, and only lately, is an event."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
import time_machine

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.resend.mailer import verify_webhook

SECRET = "whsec_" + base64.b64encode(b"a stand-in signing key").decode()
OTHER = "whsec_" + base64.b64encode(b"an older signing key").decode()
EVENT = {"type": "email.delivered", "data": {"email_id": "r-1", "subject": "Grüße"}}
NOW = 1_795_500_000
BODY = json.dumps(EVENT, ensure_ascii=False).encode()


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """A time that stands: the cases below are signed long before they are tried."""
    with time_machine.travel(NOW, tick=False):
        yield


def signed(payload: bytes = BODY, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    stamp = str(NOW - age_s)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, b"msg_1." + stamp.encode() + b"." + payload, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"Svix-Id": "msg_1", "Svix-Timestamp": stamp, "Svix-Signature": signature}


@pytest.mark.parametrize("secret", [SECRET, f"{OTHER}, {SECRET}", f"{SECRET},{OTHER}", f"whsec_,{SECRET}"])
def test_an_event_signed_with_any_of_the_secrets_is_returned(secret: str) -> None:
    assert verify_webhook(BODY, signed(), secret) == EVENT


@pytest.mark.parametrize(
    ("payload", "headers", "secret"),
    [
        (BODY + b" ", signed(), SECRET),
        (BODY, signed(), OTHER),
        (BODY, signed(age_s=600), SECRET),
        (BODY, signed(age_s=-600), SECRET),
        (BODY, {**signed(), "Svix-Id": "msg_2"}, SECRET),
        (BODY, {**signed(), "Svix-Signature": "v1,ü"}, SECRET),
        (BODY, {}, SECRET),
        (b"", signed(b""), SECRET),
        (b"\xff", signed(b"\xff"), SECRET),
        (b"[1]", signed(b"[1]"), SECRET),
        (b"{", signed(b"{"), SECRET),
        (BODY, signed(), ""),
        (BODY, signed(), "whsec_x"),
        (BODY, signed(secret="whsec_"), "whsec_"),
        (BODY, signed(secret="whsec_"), "whsec_!!!"),
    ],
)
def test_everything_else_is_rejected(payload: bytes, headers: dict[str, str], secret: str) -> None:
    with pytest.raises(Rejected) as refused:
        verify_webhook(payload, headers, secret)
    assert refused.value.code == "invalid_signature"
