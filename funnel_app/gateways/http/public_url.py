"""Public URL: Funnel as the outside reaches it, and another machine's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.json_api import call, said_by

TIMEOUT_S = 7.0
PROVIDER = "our public address"


class PublicUrlProbe:
    """Calls PUBLIC_URL like anybody else, so that DNS, certificate and proxy are tested too."""

    def __init__(self, public_url: str, hook_secret: str) -> None:
        self._url = public_url
        self._secret = hook_secret

    def check(self) -> None:
        """Call the liveness endpoint. Raises Unavailable without a response, Rejected for another page."""
        answer = call(PROVIDER, "GET", f"{self._url}/healthz", TIMEOUT_S)
        if answer.status_code != 200:
            raise Rejected(PROVIDER, f"/healthz answered {answer.status_code}", str(answer.status_code))

    def sign_up(self, campaign: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Call a campaign's signup hook as the website does, and return the response."""
        headers = {"Authorization": f"Bearer {self._secret}"}
        url = f"{self._url}/webhook/{campaign}/signup"
        answer = call(PROVIDER, "POST", url, TIMEOUT_S, json=dict(payload), headers=headers)
        if answer.status_code not in {200, 202}:
            raise Rejected(PROVIDER, f"the signup hook answered {answer.status_code}", str(answer.status_code))
        return cast(dict[str, Any], said_by(PROVIDER, answer))


def world_time(url: str) -> datetime:
    """Return the time in another machine's responses, to the second. Raises Unavailable without one."""
    answer = call("another clock", "HEAD", url, TIMEOUT_S)
    try:
        at = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        raise Unavailable("another clock", "the answer carried no date") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
