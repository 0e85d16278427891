"""Manners: headers, request ids, throttled strangers, masked logs, and a description that is true."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from funnel_app.app import create_app
from funnel_app.flows.intake.received_calls import list_hooks
from funnel_app.gateways.redis.throttle import Throttle
from sandbox.redis_server import RedisServer
from tests.apps import application
from tests.factories import LEGACY_KEY, make_deps
from tests.web.callers import BEARER, SIGNUP, post, signup
from tests.web.console import Operator

PDF = "/assets/christmas-surge-playbook.pdf"
HOOKS = ["signup", "noshow", "maybe", "onboarding", "booking", "calendly", "calcom"]


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/u/nobody", "/docs", "/openapi.json", SIGNUP])
def test_every_answer_carries_the_headers_that_protect(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script-src 'unsafe" not in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")


def test_at_home_nobody_is_bound_to_https(sqlite):
    client = application(make_deps(sqlite, public_url="http://127.0.0.1:8000")).test_client()
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/console/login", "/console/", PDF])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_no_header_comes_twice_and_a_length_is_that_of_the_body(client, path, method):
    answer = client.open(path, method=method)
    names = [name.lower() for name, _ in answer.headers]
    assert len(set(names)) == len(names) and "x-request-id" in names
    assert method == "HEAD" or int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-123", True), ("x" * 65, False), ("a b", False), ("<script>", False), ("", False)]
)
def test_a_request_keeps_its_id_or_gets_one(client, given, kept):
    returned = client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert (returned == given) is kept and returned


def test_one_line_is_logged_per_answer_without_what_opens_something(client):
    with structlog.testing.capture_logs() as lines:
        client.get(f"/k/{LEGACY_KEY}/api/health")
        client.get("/u/a-token-of-somebody")
        for path in ("//u/a-token-of-somebody", "/u//a-token-of-somebody"):
            client.get("/", environ_overrides={"PATH_INFO": path})
        client.get("/healthz")
    told = [(line["path"], line["status"]) for line in lines if line["event"] == "answered"]
    assert told == [("/k/***/api/health", 200), *[("/u/***", 404)] * 3]
    assert LEGACY_KEY not in str(lines) and "a-token-of-somebody" not in str(lines)


def test_a_problem_keeps_the_headers_of_its_kind(client):
    answer = client.get(SIGNUP)
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_a_fault_of_ours_tells_nothing_but_where_it_is_logged(client, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("secret-of-the-house")

    monkeypatch.setattr("funnel_app.web.legacy.prefect.find_run", broken)
    monkeypatch.setattr("funnel_app.web.hooks.common.enrol", broken)
    path = f"/k/{LEGACY_KEY}/api/flow_runs/00000000-0000-4000-8000-000000000000"
    with structlog.testing.capture_logs() as lines:
        answers = [client.get(path, headers={"X-Request-Id": "r1"}), signup(client)]
    for answer in answers:
        assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
        assert "secret-of-the-house" not in answer.text and "Traceback" not in answer.text
    assert answers[0].json["detail"] == "Something is wrong on our side; it is logged as request r1."
    faults = [line for line in lines if line["event"] == "failed"]
    assert faults[0]["path"].startswith("/k/***/api/flow_runs/") and faults[0]["exc_info"]
    assert LEGACY_KEY not in str([{**line, "exc_info": None} for line in lines])


def test_what_a_fault_of_ours_stopped_is_kept_and_replayed_once_it_is_fixed(client, deps, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("funnel_app.web.hooks.common.enrol", broken)
        assert [signup(client).status_code for _ in range(2)] == [500, 500]
        assert client.post(SIGNUP, json={"email": "x@resend.dev"}).status_code == 401
    (kept,) = list_hooks(deps.reads, "refused", 9)
    assert "A fault of ours stopped it" in kept["reason"] and kept["email"] == "ana@resend.dev"
    operator = Operator(client)
    operator.log_in()
    page = f"/console/hooks/{kept['id']}"
    assert "set-funnel" not in operator.get(page).text
    assert operator.send(f"{page}/replay", form=page).status_code == 303


def fail(client, address):
    return client.post(SIGNUP, json={}, environ_overrides={"REMOTE_ADDR": address})


def test_strangers_are_throttled_and_callers_with_a_proof_never(client):
    answers = [fail(client, "203.0.113.1").status_code for _ in range(32)]
    assert answers == [401] * 30 + [429] * 2
    assert 1 <= int(fail(client, "203.0.113.1").headers["Retry-After"]) <= 60
    assert fail(client, "203.0.113.2").status_code == 401, "another address is another stranger"
    same = {"REMOTE_ADDR": "203.0.113.1"}
    good = client.post(SIGNUP, json={"email": "a@resend.dev"}, headers=BEARER, environ_overrides=same)
    assert good.status_code == 202


@pytest.mark.parametrize(("hops", "throttled"), [(0, True), (1, False)])
def test_a_proxy_is_believed_only_as_set(sqlite, hops, throttled):
    client = application(make_deps(sqlite, trusted_proxies=hops)).test_client()
    answers = [
        client.post(SIGNUP, json={}, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(31)
    ]
    assert (answers[-1] == 429) is throttled


class TestThrottle:
    """The counter itself, on a real Redis."""

    def test_processes_share_it(self):
        with RedisServer() as redis:
            first, second = (Throttle(redis.url, per_minute=2) for _ in range(2))
            assert [first.hit("n", "k"), second.hit("n", "k")] == [0.0, 0.0]
            assert first.hit("n", "k") > 0 and second.hit("n", "k") > 0
            assert second.hit("n", "other") == 0.0

    def test_without_redis_it_counts_in_memory_and_asks_again_later(self):
        moment = [0.0]
        with RedisServer() as redis:
            throttle = Throttle(redis.url, per_minute=2, monotonic=lambda: moment[0])
            redis.kill()
            assert [throttle.hit("n", "k") > 0 for _ in range(3)] == [False, False, True]
            redis.start()
            assert throttle.hit("n", "k") > 0, "for five seconds it does not ask"
            moment[0] = 6.0
            assert throttle.hit("n", "k") == 0.0


class TestDescription:
    """`/openapi.json` and `/docs`."""

    def test_every_hook_is_described_with_its_payload_its_answers_and_its_proof(self, client):
        described = client.get("/openapi.json").json
        assert described["openapi"] == "3.1.0"
        assert set(described["paths"]) == {f"/webhook/{{campaign}}/{hook}" for hook in HOOKS}
        for path, operations in described["paths"].items():
            operation = operations["post"]
            assert {"200", "202", "400", "401", "404", "413", "415", "422", "429", "503"} <= set(operation["responses"])
            assert operation["security"] and operation["summary"], path
            content = operation["requestBody"]["content"]["application/json"]
            assert content["example"] and content["schema"]

    def test_it_is_made_once_somebody_asks_and_is_whole_for_all_who_ask_at_once(self, deps):
        app = create_app(deps)
        api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
        assert len(api.undescribed) == len(HOOKS) and api.spec.to_dict()["paths"] == {}

        def ask(_):
            return app.test_client().get("/openapi.json").data

        with ThreadPoolExecutor(8) as callers:
            (described,) = set(callers.map(ask, range(24)))
        assert len(json.loads(described)["paths"]) == len(HOOKS) and api.undescribed == []

    @pytest.mark.parametrize("hook", HOOKS[:5])
    def test_every_example_is_accepted(self, client, hook):
        path = f"/webhook/{{campaign}}/{hook}"
        described = client.get("/openapi.json").json["paths"][path]["post"]
        example = described["requestBody"]["content"]["application/json"]["example"]
        assert post(client, example, path.replace("{campaign}", "christmas")).status_code == 202

    def test_the_page_needs_nothing_from_elsewhere(self, client):
        page = client.get("/docs").text
        assert "http" not in page.replace("http-equiv", "")
        for part in ("/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js", "/docs/favicon-32x32.png"):
            assert part in page
            with client.get(part) as answer:
                assert answer.status_code == 200 and len(answer.data) > 100

    def test_nothing_else_of_the_package_is_served(self, client):
        assert client.get("/docs/LICENSE").status_code == 404
        assert client.get("/docs/..%2F__init__.py").status_code == 404


def test_a_signup_is_answered_with_its_request_id(client):
    assert signup(client).headers["X-Request-Id"]
