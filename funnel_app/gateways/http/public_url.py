"""Funnel as the world sees it: its own public address called from inside, and a clock that is not ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import requests

from funnel_app.gateways.errors import Rejected, Unavailable

TIMEOUT_S = 7.0
PROVIDER = "our public address"


class PublicUrlProbe:
    """Calls PUBLIC_URL the way that everybody does, so that name, certificate and proxy are tried too."""

    def __init__(self, public_url: str, hook_secret: str) -> None:
        self._url = public_url
        self._secret = hook_secret

    def check(self) -> None:
        """Ask whether the web process lives. Raises Unavailable where it does not answer, Rejected for another page."""
        answer = _call("GET", f"{self._url}/healthz", PROVIDER)
        if answer.status_code != 200:
            raise Rejected(PROVIDER, f"/healthz answered {answer.status_code}", str(answer.status_code))

    def sign_up(self, campaign: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Call the signup hook of a campaign as the website does, and return its answer."""
        headers = {"Authorization": f"Bearer {self._secret}"}
        answer = _call("POST", f"{self._url}/webhook/{campaign}/signup", PROVIDER, json=dict(payload), headers=headers)
        if answer.status_code not in {200, 202}:
            raise Rejected(PROVIDER, f"the signup hook answered {answer.status_code}", str(answer.status_code))
        return cast(dict[str, Any], answer.json())


def world_time(url: str) -> datetime:
    """Return the time that another machine's answers carry, to the second. Raises Unavailable where none does."""
    answer = _call("HEAD", url, "another clock")
    try:
        at = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        raise Unavailable("another clock", "the answer carried no date") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _call(method: str, url: str, whom: str, **more: Any) -> requests.Response:
    try:
        return requests.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **more)
    except requests.RequestException as error:
        raise Unavailable(whom, f"cannot be reached: {type(error).__name__}") from None
