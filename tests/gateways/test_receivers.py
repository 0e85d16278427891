"""Receivers: an event over real HTTP, proved by the official library's own eyes; what each answer means."""

import json
import time

import pytest
import responses
from standardwebhooks import Webhook, WebhookVerificationError

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http import receivers
from funnel_app.gateways.http.receivers import Receivers, receiver_host, receiver_key, signed_headers
from sandbox import crm
from tests.gateways.dripping import OK, saying

OLD, NEW = "whsec_" + "b2xk" * 10, "whsec_" + "bmV3" * 10
BODY = json.dumps({"type": "lead.enrolled", "data": {"lead": {"first_name": "Žofie"}}}, ensure_ascii=False).encode()
SECRET_URL = "https://hooks.zapier.example/hooks/catch/1/very-secret"


def headers(*secrets):
    return signed_headers(secrets, "evt-1", int(time.time()), BODY)


@pytest.mark.parametrize("known", [OLD, NEW])
def test_while_a_secret_changes_whoever_knows_either_is_convinced(known):
    assert Webhook(known).verify(BODY, headers(NEW, OLD)) == json.loads(BODY)


@pytest.mark.parametrize(
    "forged",
    [
        lambda: (BODY.replace(b"enrolled", b"erased"), headers(NEW)),
        lambda: (BODY, headers(NEW) | {"webhook-id": "evt-2"}),
        lambda: (BODY, headers(NEW) | {"webhook-timestamp": str(int(time.time()) - 60)}),
        lambda: (BODY, headers(OLD)),
    ],
    ids=["another body", "another id", "another time", "another secret"],
)
def test_nothing_else_convinces(forged):
    body, proof = forged()
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, proof)


def test_the_sandboxs_crm_takes_what_is_signed_and_nothing_else(notion):
    url = f"{notion.url}/crm/events"
    Receivers().post(url, BODY, headers(crm.SECRET))
    with pytest.raises(Unavailable, match="answered 401"):
        Receivers().post(url, BODY, headers(NEW))
    assert [event["id"] for event in notion.sandbox.told] == ["evt-1"]


@responses.activate
@pytest.mark.parametrize(
    ("status", "family"),
    [
        *((status, Unavailable) for status in (302, 401, 404, 410, 429, 500, 503)),
        *((status, Rejected) for status in (400, 413, 422)),
    ],
)
def test_what_is_no_2xx_is_of_the_address_or_of_the_event_and_never_shows_the_address(status, family):
    responses.post(SECRET_URL, status=status, headers={"Location": "https://elsewhere.example"})
    with pytest.raises(family) as failed:
        Receivers().post(SECRET_URL, BODY, headers(NEW))
    assert str(failed.value).startswith(f"hooks.zapier.example: answered {status}")
    assert "secret/" not in str(failed.value) and "very" not in str(failed.value)


@responses.activate
@pytest.mark.parametrize(
    ("status", "hint"), [(301, "it has moved"), (401, "has the secret"), (410, "take it out"), (503, "answered 503")]
)
def test_an_owner_is_told_what_to_do_about_an_address_that_will_not_recover_by_itself(status, hint):
    responses.post(SECRET_URL, status=status)
    with pytest.raises(Unavailable, match=hint):
        Receivers().post(SECRET_URL, BODY, headers(NEW))


@pytest.mark.parametrize(
    "answer",
    [
        [OK, b"Content-Length: 5\r\n\r\n<html"],
        [OK, b"Content-Length: 500\r\n\r\n<html>cut"],
        [OK, b"Transfer-Encoding: chunked\r\n\r\nnot a length"],
        [OK, b"Content-Encoding: gzip\r\n\r\nno gzip"],
        [OK, b"Content-Length: 99999\r\n\r\n", *[b"<"] * 400],
    ],
    ids=["a page", "cut short", "no chunk", "no gzip", "drop by drop"],
)
def test_who_answers_200_has_the_event_whatever_stands_behind_it(answer, monkeypatch):
    monkeypatch.setattr(receivers, "TIMEOUT_S", 0.2)
    with saying(answer) as (url, said):
        Receivers().post(url, BODY, headers(NEW))
    # Each drop comes in time; all of them would take twenty times as long.
    assert len(said) < 300


def test_headers_that_come_drop_by_drop_are_no_answer(monkeypatch):
    monkeypatch.setattr(receivers, "TIMEOUT_S", 0.2)
    endless = saying([OK, *[b"X-More: 1\r\n"] * 90])
    with endless as (url, said), pytest.raises(Unavailable, match="did not answer within"):
        Receivers().post(url, BODY, headers(NEW))
    assert len(said) < 90


def test_nobody_there_is_told_without_the_address():
    with pytest.raises(Unavailable) as failed:
        Receivers().post("http://127.0.0.1:9/very-secret", BODY, headers(NEW))
    assert "127.0.0.1" in str(failed.value) and "secret" not in str(failed.value)


def test_an_address_is_known_by_a_name_that_does_not_tell_it():
    assert receiver_key(SECRET_URL) != receiver_key(SECRET_URL + "2")
    assert "secret" not in receiver_key(SECRET_URL) + receiver_host(SECRET_URL)
