"""A call of Notion: once more where that is safe, at its turn, and never longer than its caller's patience."""

from typing import Any

import httpx
import pytest

from funnel_app.gateways.errors import GatewayError, Rejected, Unavailable
from funnel_app.gateways.notion.client import NotionCalls
from tests.gateways.test_notion import Time, calls_over
from tests.gateways.test_notion_failures import CONNECT, LOST, refusal

QUERY = ("read", "data_sources.query")
CREATE = ("write", "pages.create")
GOOD = httpx.Response(200, json={"results": [], "has_more": False})


class Script:
    """Answers or fails as told, one after the other, then well."""

    def __init__(self, *steps: httpx.Response | Exception) -> None:
        self.steps = list(steps)
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        step = self.steps.pop(0) if self.steps else GOOD
        if isinstance(step, Exception):
            raise step
        return step


def make(calls: NotionCalls, how: tuple[str, str]) -> Any:
    kind, path = how
    endpoint, verb = path.split(".")
    call = getattr(getattr(calls.client, endpoint), verb)
    return calls.read(call, "ds-1") if kind == "read" else calls.write(call, parent={}, properties={})


PASSING = [
    refusal(409, "conflict_error"),
    refusal(429, "rate_limited", **{"Retry-After": "2"}),
    refusal(500, "internal_server_error"),
    httpx.Response(502, text="<html>"),
    httpx.Response(504, text="<html>"),
    refusal(529, "service_overload", **{"Retry-After": "1"}),
    CONNECT,
    LOST,
]


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_a_query_which_is_a_post_is_repeated_after_every_passing_failure(failure):
    script = Script(failure)
    assert make(calls_over(script), QUERY)["results"] == []
    assert script.calls == 2


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_a_write_is_repeated_only_where_it_was_not_done(failure):
    script = Script(failure)
    not_done = failure is CONNECT or getattr(failure, "status_code", 0) in {409, 429, 529}
    if not_done:
        make(calls_over(script), CREATE)
    else:
        with pytest.raises(Unavailable):
            make(calls_over(script), CREATE)
    assert script.calls == (2 if not_done else 1)


def test_retry_after_is_waited_for_by_all_that_share_the_budget():
    time = Time()
    calls = calls_over(Script(refusal(429, "rate_limited", **{"Retry-After": "2"})), time)
    make(calls, QUERY)
    assert time.waits == [2.0]


def test_retry_after_beyond_the_patience_is_told_to_the_caller():
    time, script = Time(), Script(refusal(429, "rate_limited", **{"Retry-After": "17"}))
    calls = calls_over(script, time)
    for _ in range(2):
        with pytest.raises(Unavailable) as told:
            make(calls, QUERY)
    assert (told.value.retry_after, time.waits, script.calls) == (17, [], 1)
    time.sleep(17)
    make(calls, QUERY)


def test_the_second_failure_is_the_callers():
    script = Script(refusal(503, "service_unavailable"), refusal(503, "service_unavailable"))
    with pytest.raises(Unavailable, match="503"):
        make(calls_over(script), QUERY)
    assert script.calls == 2


@pytest.mark.parametrize(
    "failures",
    [(CONNECT, CONNECT), (LOST, LOST), (httpx.ReadTimeout("slow"),), (httpx.Response(503, text="<html>"),) * 2],
)
def test_while_notion_is_away_calls_fail_at_once_and_reach_nothing(failures):
    script, time = Script(*failures), Time()
    calls = calls_over(script, time)
    for expected in (len(failures), len(failures)):
        with pytest.raises(Unavailable):
            make(calls, QUERY)
        assert script.calls == expected
    time.sleep(2)
    make(calls, QUERY)
    make(calls, QUERY)
    assert script.calls == len(failures) + 2


def test_what_is_rejected_is_not_repeated():
    script = Script(refusal(400, "validation_error"))
    with pytest.raises(Rejected):
        make(calls_over(script), QUERY)
    assert script.calls == 1


def test_a_list_is_read_over_all_of_its_pages():
    pages = [
        httpx.Response(200, json={"results": [{"id": 1}], "has_more": True, "next_cursor": "c"}),
        refusal(502, "bad_gateway"),
        httpx.Response(200, json={"results": [{"id": 2}], "has_more": False, "next_cursor": None}),
    ]
    calls = calls_over(Script(*pages))
    assert [each["id"] for each in calls.read_all(calls.client.data_sources.query, "ds-1")] == [1, 2]


def test_all_failures_are_of_the_two_families():
    for failure in (*PASSING, refusal(400, "validation_error"), httpx.Response(200, json=["?"])):
        with pytest.raises(GatewayError):
            make(calls_over(Script(failure, failure)), QUERY)
