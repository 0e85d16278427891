"""Addresses are found as Flask finds them, without what it prepares for hosts and sockets."""

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from funnel_app.app import create_app


@pytest.fixture
def as_flask(client, monkeypatch):
    def ask(path, **given):
        with monkeypatch.context() as as_it_was:
            as_it_was.setattr(type(client.application), "create_url_adapter", Flask.create_url_adapter)
            return client.get(path, **given).status_code

    return ask


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "//healthz", "/console/login?next=%2Fconsole%2F", "/none"])
def test_an_address_is_found_as_flask_finds_it(client, as_flask, path):
    assert client.get(path).status_code == as_flask(path)


@pytest.mark.parametrize(
    "host", ["funnel.example", "FUNNEL.example:8443", "127.0.0.1:8000", "[::1]:8000", "a b", "a/@b"]
)
def test_a_host_makes_no_difference(client, as_flask, host):
    given = {"headers": {"Host": host}}
    assert client.get("/healthz", **given).status_code == as_flask("/healthz", **given)


def test_a_caller_who_wants_a_socket_gets_an_ordinary_answer(client):
    assert client.get("/healthz", headers={"Upgrade": "websocket", "Connection": "Upgrade"}).status_code == 200


def test_below_a_prefix_links_keep_it(client):
    with client.application.test_request_context("/console/", environ_overrides={"SCRIPT_NAME": "/funnel"}):
        assert url_for("console.today") == "/funnel/console/"


def test_what_builds_an_address_is_compiled_when_it_is_first_asked_for(deps, monkeypatch):
    compiled, usual = [], Rule._compile_builder
    monkeypatch.setattr(
        Rule, "_compile_builder", lambda rule, *more: compiled.append(rule.endpoint) or usual(rule, *more)
    )
    application = create_app(deps)
    assert compiled == []
    with application.test_request_context():
        assert {url_for("unsubscribe.ask", token="a b") for _ in range(2)} == {"/u/a%20b"}
    assert compiled == ["unsubscribe.ask"]
