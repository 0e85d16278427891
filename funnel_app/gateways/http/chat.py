"""Alerts: one message into a chat, through an incoming webhook of Slack or Discord.

Slack takes `text`, in which <, > and & must be escaped, or a name could call everybody
(https://docs.slack.dev/messaging/formatting-message-text/). Discord takes `content` of at most 2,000 characters, and
is told that nothing in it may mention anybody (https://discord.com/developers/docs/resources/webhook). An address of
Discord that ends with /slack takes Slack's form.
"""

from typing import Any
from urllib.parse import urlsplit

import requests

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.prompt import prompt_session

TIMEOUT_S = 5.0
LONGEST_ANSWER = 100
LONGEST_DISCORD = 2000
LONGEST_SLACK = 4000
DISCORD_HOSTS = ("discord.com", "discordapp.com")


class Alerts:
    """Posts into chats and pings dead man's switches. Raises Unavailable to try again, Rejected for a wrong address."""

    def post(self, url: str, text: str) -> None:
        """Write a message into the chat that a webhook belongs to."""
        self._call("POST", url, json=payload(url, text))

    def ping(self, url: str) -> None:
        """Tell a dead man's switch that all is well; Rejected where it knows no such switch.

        Healthchecks answers 200 for one that was deleted, and says so in words alone
        (https://healthchecks.io/docs/http_api/: "OK (not found)").
        """
        said = self._call("GET", url).text[:LONGEST_ANSWER]
        if "not found" in said.lower():
            raise Rejected(_host(url), f"answered “{said.strip()}”: it knows no such check any more", "200")

    def _call(self, method: str, url: str, **body: Any) -> requests.Response:
        # The address is itself a secret, and the words of an exception of requests hold it.
        host = _host(url)
        try:
            with prompt_session() as session:
                answer = session.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **body)
        except requests.RequestException as error:
            raise Unavailable(host, f"cannot be reached: {type(error).__name__}") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Unavailable(host, f"answered {answer.status_code}")
        if answer.status_code >= 300:
            raise Rejected(
                host, f"answered {answer.status_code}: it does not know this address any more", str(answer.status_code)
            )
        return answer


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the alerts' address"


def payload(url: str, text: str) -> dict[str, Any]:
    """Return a message in the form that the webhook at an address takes."""
    parts = urlsplit(url)
    if _is_discord(parts.hostname or "") and not parts.path.rstrip("/").endswith("/slack"):
        return {"content": _cut(text, LONGEST_DISCORD), "allowed_mentions": {"parse": []}}
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": _cut(escaped, LONGEST_SLACK)}


def _is_discord(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in DISCORD_HOSTS)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
