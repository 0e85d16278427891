"""Notion's failures: which are tried again, which never, and in whose words."""

import httpx
import pytest

from funnel_app.gateways.errors import Rejected, Unavailable
from tests.gateways.test_notion import notebook_over, page


def refusal(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"object": "error", "status": status, "code": code, "message": "No."}
    return httpx.Response(status, json=body, headers=headers)


@pytest.mark.parametrize(
    ("response", "retry_after"),
    [
        (refusal(429, "rate_limited", **{"Retry-After": "17"}), 17.0),
        (refusal(409, "conflict_error"), None),
        (refusal(500, "internal_server_error"), None),
        (refusal(503, "service_unavailable"), None),
        (refusal(503, "database_connection_unavailable"), None),
        (refusal(529, "service_overload", **{"Retry-After": "5"}), 5.0),
        (httpx.Response(502, text="<html>"), None),
        (httpx.Response(200, text="<html>"), None),
        (httpx.Response(200, json=["?"]), None),
    ],
)
def test_what_may_pass_says_try_again(response: httpx.Response, retry_after: float | None) -> None:
    with pytest.raises(Unavailable) as away:
        notebook_over(lambda _: response).whoami()
    assert (away.value.provider, away.value.retry_after) == ("notion", retry_after)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "validation_error"),
        (400, "missing_version"),
        (401, "unauthorized"),
        (403, "restricted_resource"),
        (404, "object_not_found"),
        (413, "payload_too_large"),
    ],
)
def test_what_will_not_pass_is_rejected_in_notions_words(status: int, code: str) -> None:
    with pytest.raises(Rejected, match=f"{status} {code}: No.") as refused:
        notebook_over(lambda _: refusal(status, code)).whoami()
    assert refused.value.code == code


class Failing:
    """Raises the given failures, then answers as Notion."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return httpx.Response(200, json=page(1, "email_1"))


CONNECT = httpx.ConnectError("refused")
LOST = httpx.RemoteProtocolError("closed")


@pytest.mark.parametrize("failure", [CONNECT, LOST])
def test_a_lost_connection_is_tried_once_more(failure: Exception) -> None:
    handler = Failing(failure)
    assert notebook_over(handler).whoami() == "p-1"
    assert handler.calls == 2


@pytest.mark.parametrize("failures", [[CONNECT, CONNECT], [LOST, LOST], [CONNECT, LOST]])
def test_a_connection_lost_twice_is_unavailable(failures: list[Exception]) -> None:
    handler = Failing(*failures)
    with pytest.raises(Unavailable):
        notebook_over(handler).whoami()
    assert handler.calls == 2


@pytest.mark.parametrize(("failure", "calls"), [(CONNECT, 2), (LOST, 1), (httpx.ReadTimeout("slow"), 1)])
def test_a_write_that_may_have_arrived_is_not_repeated(failure: Exception, calls: int) -> None:
    handler = Failing(failure, CONNECT)
    with pytest.raises(Unavailable):
        notebook_over(handler).fill_template("p-1", "Hello", "<p>1</p>")
    assert handler.calls == calls


def test_a_timeout_is_not_tried_again_by_the_gateway() -> None:
    handler = Failing(httpx.ReadTimeout("slow"))
    with pytest.raises(Unavailable, match="timed out"):
        notebook_over(handler).whoami()
    assert handler.calls == 1
