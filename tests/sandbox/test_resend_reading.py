"""Resend's door and its reading calls."""

import http.client

import pytest
import requests
import resend
from resend.exceptions import InvalidApiKeyError, RateLimitError, ResendError

from tests.pace import patient
from tests.sandbox.conftest import control, letter


def test_an_email_can_be_read_back_with_its_last_event(server, clock):
    sent = resend.Emails.send(letter(reply_to="r@lumen.example"))
    assert resend.Emails.get(sent["id"])["last_event"] == "queued"
    clock.forward(seconds=0.1)
    assert resend.Emails.get(sent["id"])["last_event"] == "sent"
    clock.forward(seconds=0.1)
    email = resend.Emails.get(sent["id"])
    assert email["last_event"] == "delivered"
    assert email["created_at"] == "2026-11-23 09:08:30.000000+00"
    assert (email["object"], email["cc"], email["reply_to"]) == ("email", [], ["r@lumen.example"])


@pytest.mark.parametrize(
    ("verb", "path", "name"),
    [
        ("get", "emails/x", "not_found"),
        ("get", "webhooks/x", "not_found"),
        ("get", "nothing", "not_found"),
        ("delete", "domains", "method_not_allowed"),
    ],
)
def test_an_unknown_email_path_or_method_is_answered_in_resends_form(server, verb, path, name):
    auth = {"Authorization": "Bearer re_x"}
    answer = requests.request(verb, f"{server.resend_url}/{path}", headers=auth, timeout=patient(5))
    assert (answer.json()["name"], answer.json()["statusCode"]) == (name, answer.status_code)


def test_a_missing_user_agent_is_403_and_no_json(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=patient(5))
    connection.request("GET", "/resend/domains", headers={"Authorization": "Bearer re_x"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (403, b"error code: 1010")
    connection.close()


@pytest.mark.parametrize(
    ("auth", "status", "name"),
    [
        (None, 401, "missing_api_key"),
        ("Bearer ", 401, "missing_api_key"),
        ("Bearer sk_x", 403, "invalid_api_key"),
        ("Bearer re_restricted_1", 401, "restricted_api_key"),
    ],
)
def test_a_key_must_be_there_and_good_and_fit_the_call(server, auth, status, name):
    answer = requests.get(
        server.resend_url + "/domains", headers={"Authorization": auth} if auth else {}, timeout=patient(5)
    )
    assert (answer.status_code, answer.json()["name"]) == (status, name)


def test_a_restricted_key_sends(server, monkeypatch):
    monkeypatch.setattr(resend, "api_key", "re_restricted_1")
    assert resend.Emails.send(letter())["id"]


def test_a_key_can_be_made_wrong(server):
    control(server, {"resend.wrong_keys": ["re_sandbox"]})
    with pytest.raises(InvalidApiKeyError):
        resend.Emails.send(letter())


def test_calls_beyond_the_rate_of_one_second_are_refused_and_every_answer_tells_what_is_left(server, clock):
    control(server, {"resend.rate_per_second": 2})
    first = resend.Emails.send(letter())["http_headers"]
    assert (first["ratelimit-limit"], first["ratelimit-remaining"], first["ratelimit-reset"]) == ("2", "1", "1")
    resend.Emails.send(letter())
    with pytest.raises(RateLimitError) as caught:
        resend.Emails.send(letter())
    assert caught.value.error_type == "rate_limit_exceeded"
    assert caught.value.headers["retry-after"] == "1"
    clock.forward(seconds=1)
    assert resend.Emails.send(letter())["id"]


def test_no_rate_means_no_limit_and_no_headers(server):
    control(server, {"resend.rate_per_second": None})
    answers = [resend.Emails.send(letter()) for _ in range(12)]
    assert "ratelimit-limit" not in answers[-1]["http_headers"]


def test_domains_are_those_of_the_switches(server):
    control(server, {"resend.domains": {"mail.lumen.example": "verified"}})
    [domain] = resend.Domains.list()["data"]
    assert (domain["name"], domain["status"]) == ("mail.lumen.example", "verified")


def test_a_webhook_can_be_created_listed_and_read_with_its_secret(server):
    made = resend.Webhooks.create({"endpoint": "https://lumen.example/hook", "events": ["email.bounced"]})
    [listed] = resend.Webhooks.list()["data"]
    assert (listed["id"], listed["endpoint"]) == (made["id"], "https://lumen.example/hook")
    assert resend.Webhooks.get(made["id"])["signing_secret"] == made["signing_secret"]
    for bad in ({"endpoint": "ftp://x", "events": []}, {"endpoint": "https://x.example"}):
        with pytest.raises(ResendError, match="endpoint"):
            resend.Webhooks.create(bad)


def test_latency_only_delays(server):
    control(server, {"resend.latency_s": 0.01})
    assert resend.Domains.list()["data"] == []
    assert resend.Emails.send(letter())["id"]
