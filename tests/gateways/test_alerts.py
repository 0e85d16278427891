"""Alerts: each chat gets the form that it takes, nobody is called by a name, and no failure tells the address."""

import pytest
import requests
import responses

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.chat import Alerts, payload

SLACK = "https://hooks.slack.com/services/T000/B000/secret"
DISCORD = "https://discord.com/api/webhooks/1/secret"


def test_slack_takes_text_in_which_a_name_cannot_call_everybody():
    assert payload(SLACK, "<!channel> & co") == {"text": "&lt;!channel&gt; &amp; co"}
    assert payload(DISCORD + "/slack", "hi") == {"text": "hi"}


def test_discord_takes_content_that_mentions_nobody():
    nobody = {"parse": []}
    assert payload(DISCORD, "@everyone <3") == {"content": "@everyone <3", "allowed_mentions": nobody}
    assert payload("https://ptb.discord.com/api/webhooks/1/x", "hi")["content"] == "hi"
    assert payload("https://notdiscord.com/x", "hi") == {"text": "hi"}
    assert len(payload(DISCORD, "x" * 3000)["content"]) == 2000


@responses.activate
@pytest.mark.parametrize("status", [200, 204])
def test_a_message_is_posted(status):
    responses.post(SLACK, status=status, match=[responses.matchers.json_params_matcher({"text": "hello"})])
    Alerts().post(SLACK, "hello")
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    ("status", "family"), [(429, Unavailable), (503, Unavailable), (404, Rejected), (302, Rejected)]
)
def test_a_refusal_is_told_without_the_address(status, family):
    responses.post(SLACK, status=status)
    with pytest.raises(family) as failed:
        Alerts().post(SLACK, "hello")
    assert "hooks.slack.com" in str(failed.value) and "secret" not in str(failed.value)


@responses.activate
def test_a_lost_connection_is_told_without_the_address():
    responses.get("https://hc.example/secret", body=requests.ConnectionError("https://hc.example/secret refused"))
    with pytest.raises(Unavailable) as failed:
        Alerts().ping("https://hc.example/secret")
    assert "secret" not in str(failed.value) and failed.value.__cause__ is None


@responses.activate
def test_the_dead_mans_switch_is_pinged():
    responses.get("https://hc.example/1", status=200)
    Alerts().ping("https://hc.example/1")
    assert len(responses.calls) == 1
