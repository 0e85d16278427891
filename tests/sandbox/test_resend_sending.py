"""Resend's sending calls, by the real SDK over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import resend
from resend.exceptions import RateLimitError, ResendError

from sandbox.server import serve
from tests.pace import patient
from tests.process.watching import wait_until
from tests.sandbox.conftest import control, letter, received


def refused(params: Any, options: Any = None) -> ResendError:
    """Return the refusal of a single email."""
    with pytest.raises(ResendError) as caught:
        resend.Emails.send(params, options)
    return caught.value


def test_an_accepted_email_is_kept_exactly_as_it_was_sent(server):
    extra = {"headers": {"X-Step": "2"}, "tags": [{"name": "email", "value": "a-1"}], "reply_to": "r@lumen.example"}
    sent = resend.Emails.send(letter(**extra), {"idempotency_key": "k1"})
    [email] = received(server)
    assert email["id"] == sent["id"]
    assert email["to"] == ["delivered@resend.dev"]
    assert (email["subject"], email["html"]) == ("Your notes", "<p>Hi</p>")
    assert email["headers"] == {"X-Step": "2"}
    assert email["tags"] == {"email": "a-1"}
    assert email["reply_to"] == ["r@lumen.example"]
    assert email["idempotency_key"] == "k1"
    assert email["received_at"] == "2026-11-23T09:08:30Z"
    assert email["last_event"] == "queued"


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"from": None}, "missing_required_field", "`from`"),
        ({"to": None}, "missing_required_field", "`to`"),
        ({"subject": ""}, "missing_required_field", "`subject`"),
        ({"html": None, "text": None}, "missing_required_field", "`html` or `text`"),
        ({"html": 5}, "validation_error", "`html`"),
        ({"from": "nobody"}, "validation_error", "`from`"),
        ({"to": ["a@b@c.dev"]}, "validation_error", "`to`"),
        ({"to": [5]}, "validation_error", "`to`"),
        ({"to": ["a@resend.dev"] * 51}, "validation_error", "at most 50"),
        ({"to": "ana@example.com"}, "validation_error", "example.com"),
        ({"cc": "ana@TEST.com"}, "validation_error", "`cc`"),
        ({"reply_to": "nobody"}, "validation_error", "`reply_to`"),
        ({"to": "a@resend.dev\r\nBcc: b@resend.dev"}, "validation_error", "line break"),
        ({"subject": "Hi\nBcc: b@resend.dev"}, "validation_error", "line break"),
        ({"headers": {"X-A": "1\r\nBcc: b@resend.dev"}}, "validation_error", "line break"),
        ({"headers": {"X A:": "1"}}, "validation_error", "`headers`"),
        ({"headers": ["X-A"]}, "validation_error", "`headers`"),
        ({"headers": {"X-A": 1}}, "validation_error", "`headers`"),
        ({"tags": [{"name": "email", "value": "a@b.dev"}]}, "validation_error", "Tags"),
        ({"tags": [{"name": "n" * 257, "value": "v"}]}, "validation_error", "Tags"),
        ({"tags": ["email"]}, "validation_error", "Tags"),
        ({"tags": {"email": "1"}}, "validation_error", "`tags`"),
        ({"scheduled_at": "in 1 hour"}, "validation_error", "scheduled_at"),
    ],
)
def test_a_bad_email_is_refused_with_422_and_its_field_and_is_not_kept(server, changes, name, words):
    error = refused(letter(**changes))
    assert (int(error.code), error.error_type) == (422, name)
    assert words in str(error)
    assert received(server) == []


def test_an_error_body_has_exactly_three_fields(server):
    auth = {"Authorization": "Bearer re_x"}
    answer = requests.post(server.resend_url + "/emails", json=letter(to=None), headers=auth, timeout=patient(5))
    assert answer.json() == {
        "statusCode": 422,
        "name": "missing_required_field",
        "message": "Missing `to` field.",
    }
    assert requests.post(server.resend_url + "/emails", data="{", headers=auth, timeout=patient(5)).status_code == 400
    assert requests.post(server.resend_url + "/emails", json=[1], headers=auth, timeout=patient(5)).status_code == 422


def test_a_domain_that_is_not_verified_may_not_send(server):
    control(server, {"resend.domains": {"mail.lumen.example": "pending"}})
    error = refused(letter())
    assert (int(error.code), error.error_type) == (403, "validation_error")


def test_the_same_key_and_payload_answer_alike_and_send_once(server):
    first = resend.Emails.send(letter(), {"idempotency_key": "k"})
    again = resend.Emails.send(letter(), {"idempotency_key": "k"})
    assert again["id"] == first["id"]
    assert len(received(server)) == 1


def test_the_same_key_with_another_payload_or_endpoint_is_a_conflict(server):
    resend.Emails.send(letter(), {"idempotency_key": "k"})
    error = refused(letter(subject="Other"), {"idempotency_key": "k"})
    assert (int(error.code), error.error_type) == (409, "invalid_idempotent_request")
    with pytest.raises(ResendError, match="another payload"):
        resend.Batch.send([letter()], {"idempotency_key": "k"})


def test_racing_calls_with_one_key_send_once(server):
    control(server, {"resend.rate_per_second": 0})
    url, headers = server.resend_url + "/emails", {"Authorization": "Bearer re_x", "Idempotency-Key": "k"}
    with ThreadPoolExecutor(8) as callers:
        calls = [
            callers.submit(requests.post, url, json=letter(), headers=headers, timeout=patient(5)) for _ in range(40)
        ]
    assert {call.result().status_code for call in calls} <= {200, 409}
    assert len(received(server)) == 1


def test_a_key_is_forgotten_after_24_hours(server, clock):
    resend.Emails.send(letter(), {"idempotency_key": "k"})
    clock.forward(hours=23, minutes=59)
    resend.Emails.send(letter(), {"idempotency_key": "k"})
    assert len(received(server)) == 1
    clock.forward(minutes=1)
    resend.Emails.send(letter(), {"idempotency_key": "k"})
    assert len(received(server)) == 2


def test_a_refused_call_leaves_its_key_free(server):
    refused(letter(to="a@example.com"), {"idempotency_key": "k"})
    assert resend.Emails.send(letter(), {"idempotency_key": "k"})["id"]


def test_a_key_of_a_bad_length_is_refused(server):
    error = refused(letter(), {"idempotency_key": "k" * 257})
    assert (int(error.code), error.error_type) == (400, "invalid_idempotency_key")


def test_a_repeat_while_the_first_call_runs_is_told_so_and_gets_the_first_answer_later():
    # What hangs goes on once its server is told to stop, so it is no other test's.
    with serve() as server, ThreadPoolExecutor(1) as caller:
        control(server, {"resend.fail": [{"hang_s": 600, "accept": True}]})
        url, headers = server.resend_url + "/emails", {"Authorization": "Bearer re_x", "Idempotency-Key": "k"}
        first = caller.submit(requests.post, url, json=letter(), headers=headers, timeout=patient(20))
        try:
            wait_until("the first call is taken", lambda: received(server))
            repeat = requests.post(url, json=letter(), headers=headers, timeout=patient(5))
            assert repeat.json()["name"] == "concurrent_idempotent_requests"
        finally:
            server.sandbox.stopped.set()
        answer = first.result().json()
        assert requests.post(url, json=letter(), headers=headers, timeout=patient(5)).json() == answer


def test_a_batch_answers_in_order(server):
    sent = resend.Batch.send([letter(subject="1"), letter(subject="2")], {"idempotency_key": "b"})
    assert [item["id"] for item in sent["data"]] == [email["id"] for email in received(server)]
    assert [email["subject"] for email in received(server)] == ["1", "2"]


def test_a_strict_batch_with_one_bad_email_sends_nothing(server):
    with pytest.raises(ResendError, match="`to`"):
        resend.Batch.send([letter(), letter(to=None)])
    assert received(server) == []


def test_a_permissive_batch_sends_the_good_and_names_the_bad_by_index(server):
    items = [letter(subject="0"), letter(to=None), letter(subject="2"), letter(attachments=[{"filename": "a"}])]
    sent = resend.Batch.send(items, {"batch_validation": "permissive"})
    assert len(sent["data"]) == 2
    assert [error["index"] for error in sent["errors"]] == [1, 3]
    assert [email["subject"] for email in received(server)] == ["0", "2"]


@pytest.mark.parametrize("items", [[], [letter()] * 101])
def test_a_batch_holds_1_to_100_emails(server, items):
    with pytest.raises(ResendError, match="1 to 100"):
        resend.Batch.send(items)


def test_a_batch_mode_that_does_not_exist_is_refused(server):
    with pytest.raises(ResendError, match="strict or permissive"):
        resend.Batch.send([letter()], {"batch_validation": "lenient"})


@pytest.mark.parametrize(
    ("fault", "code", "name"),
    [
        ({"status": 500}, 500, "application_error"),
        ({"status": 503}, 503, "service_unavailable"),
        ({"status": 429, "name": "daily_quota_exceeded"}, 429, "daily_quota_exceeded"),
        ({"status": 401, "name": "invalid_api_key"}, 401, "invalid_api_key"),
        ({"status": 418}, 418, "application_error"),
        ({"name": "invalid_from_address", "message": "no"}, 422, "invalid_from_address"),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, 502, "application_error"),
        ({"drop": True}, 500, "HttpClientError"),
        ({"hang_s": 0.01}, 500, "HttpClientError"),
        ({"hang_s": 0.01, "status": 500}, 500, "application_error"),
    ],
)
def test_a_scripted_refusal_is_used_once_and_nothing_is_accepted(server, fault, code, name):
    control(server, {"resend": {"fail": [fault]}})
    error = refused(letter())
    assert (int(error.code), error.error_type) == (code, name)
    assert received(server) == []
    assert resend.Emails.send(letter())["id"]


def test_a_lost_answer_means_that_the_email_was_accepted_under_its_key(server):
    control(server, {"resend.fail": [{"lost_answer": True}]})
    assert refused(letter(), {"idempotency_key": "k"}).error_type == "HttpClientError"
    assert resend.Emails.send(letter(), {"idempotency_key": "k"})["id"] == received(server)[0]["id"]
    assert len(received(server)) == 1


def test_an_email_may_be_accepted_though_the_answer_is_an_error(server):
    control(server, {"resend.fail": [{"status": 500, "accept": True}]})
    assert int(refused(letter()).code) == 500
    assert len(received(server)) == 1


def test_a_lasting_fault_stays_until_it_is_cleared(server):
    control(server, {"resend.fail_always": {"status": 429, "retry_after": 7}})
    for _ in range(2):
        error = refused(letter())
        assert isinstance(error, RateLimitError)
        assert {k.lower(): v for k, v in error.headers.items()}["retry-after"] == "7"
    control(server, {"resend.fail_always": None})
    assert resend.Emails.send(letter())["id"]
