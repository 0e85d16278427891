"""Chat: post a message through an incoming webhook of Slack or Discord.

Slack takes `text`, in which <, > and & must be escaped, or a name could notify everybody
(https://docs.slack.dev/messaging/formatting-message-text/). Discord takes `content` of at most 2,000 characters, with
mentions disabled (https://discord.com/developers/docs/resources/webhook). A Discord address ending with /slack takes
Slack's form.
"""

from typing import Any
from urllib.parse import urlsplit

import requests

from funnel_app.gateways.connecting import why_away
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.prompt import prompt_session

TIMEOUT_S = 5.0
LONGEST_ANSWER = 100
LONGEST_DISCORD = 2000
LONGEST_SLACK = 4000
DISCORD_HOSTS = ("discord.com", "discordapp.com")


class Alerts:
    """Posts to chats and pings dead man's switches. Raises Unavailable, or Rejected for a wrong address."""

    def post(self, url: str, text: str) -> None:
        """Post a message to a webhook's chat."""
        self._call("POST", url, json=payload(url, text))

    def ping(self, url: str) -> None:
        """Ping a dead man's switch; Rejected if it does not know the check.

        Healthchecks answers 200 for a deleted check, and says so only in the body
        (https://healthchecks.io/docs/http_api/: "OK (not found)").
        """
        said = self._call("GET", url).text[:LONGEST_ANSWER]
        if "not found" in said.lower():
            raise Rejected(_host(url), f"answered “{said.strip()}”: it knows no such check any more", "200")

    def _call(self, method: str, url: str, **body: Any) -> requests.Response:
        # The address is a secret, and requests puts it into its exceptions' messages.
        host = _host(url)
        try:
            with prompt_session() as session:
                answer = session.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **body)
        except OSError as error:  # all of requests' own, and a file of certificates that is not there
            raise Unavailable(host, f"cannot be reached: {why_away(error)}") from None
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
    """Return a message in the form of an address's webhook."""
    parts = urlsplit(url)
    if _is_discord(parts.hostname or "") and not parts.path.rstrip("/").endswith("/slack"):
        return {"content": _cut(text, LONGEST_DISCORD), "allowed_mentions": {"parse": []}}
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": _cut(escaped, LONGEST_SLACK)}


def _is_discord(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in DISCORD_HOSTS)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
