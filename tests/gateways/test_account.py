"""Resend's account, asked over HTTP: domains, webhooks, quotas, and a key that may only send."""

from datetime import UTC, datetime

import pytest
import resend
import responses

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.account import EVENTS, MORE_EVENTS, Account, Endpoint, Quota, may_only_send
from funnel_app.gateways.resend.mailer import Mailer
from sandbox.server import serve
from sandbox.state import Config


@pytest.fixture
def server():
    with serve(Config(verified_domains=("Mail.Example",))) as running:
        yield running


@pytest.fixture
def ask(server):
    """Return the account as a key sees it."""
    mailers = []

    def with_key(key="re_full"):
        mailers.append(Mailer(key, server.resend_url))
        return Account(lambda: datetime.now(UTC))

    yield with_key
    for mailer in mailers:
        mailer.close()


def test_a_full_key_shows_domains_webhooks_and_what_is_used(ask, server):
    account = ask()
    assert account.domains() == {"mail.example": "verified"}
    assert account.endpoints() == []
    secret = account.add_endpoint("https://funnel.example/webhook/resend")
    (endpoint,) = account.endpoints()
    assert secret.startswith("whsec_") and endpoint.url == "https://funnel.example/webhook/resend"
    assert (endpoint.status, set(endpoint.events), endpoint.missing) == ("enabled", {*EVENTS, *MORE_EVENTS}, ())
    assert account.receiving_domains() == {"mail.example"}
    server.sandbox.settings.merge({"resend": {"daily_limit": 100}})
    usage = account.usage()
    assert usage.quotas == (Quota("daily", 0, 100), Quota("monthly", 0, None)) and usage.rate == 10.0
    assert [quota.left for quota in usage.quotas] == [1.0, 1.0]


def test_a_key_that_may_only_send_is_good_and_shows_nothing(ask):
    with pytest.raises(Rejected) as refused:
        ask("re_restricted").domains()
    assert may_only_send(refused.value)


def test_a_wrong_key_and_a_wrong_address_are_told_apart(ask, server):
    server.sandbox.settings.merge({"resend": {"wrong_keys": ["re_wrong"]}})
    with pytest.raises(Rejected, match="API key is invalid") as refused:
        ask("re_wrong").domains()
    assert not may_only_send(refused.value)
    resend.api_url = "http://127.0.0.1:1"
    with pytest.raises(Unavailable):
        Account(lambda: datetime.now(UTC)).domains()


@responses.activate
@pytest.mark.parametrize("body", ["{}", '{"data": {}}', ""])
def test_an_answer_of_another_form_is_no_answer(body):
    Mailer("re_1", "https://api.resend.example")
    responses.get("https://api.resend.example/domains", body=body, content_type="application/json")
    with pytest.raises(Unavailable):
        Account(lambda: datetime.now(UTC)).domains()


def test_events_that_are_not_told_are_named():
    assert Endpoint("1", "u", "enabled", ("email.sent",)).missing == EVENTS[1:]
    assert Endpoint("1", "u", "enabled", ()).missing == (), "none means all"
