"""Calendly's subscriptions: whether its events still reach us. https://developer.calendly.com/api-docs."""

from dataclasses import dataclass
from typing import Any, cast

from funnel_app.gateways.http.json_api import ask

EVENTS = ("invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted")
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Subscription:
    """An address that Calendly calls; `state` is active or disabled (permanently, after 24 hours of failures)."""

    uri: str
    callback_url: str
    state: str
    events: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The events that Funnel needs and that are not subscribed."""
        return tuple(event for event in EVENTS if event not in self.events)


class Calendly:
    """Calendly's API with a personal token. Raises Unavailable or Rejected."""

    def __init__(self, token: str, api_url: str = "https://api.calendly.com") -> None:
        self._token = token
        self._api = api_url.rstrip("/")

    def find_subscriptions(self) -> list[Subscription]:
        """Return all subscriptions of the token's organization, over all pages."""
        found: list[Subscription] = []
        params: dict[str, str] | None = {"organization": self._me()["current_organization"], "scope": "organization"}
        url = f"{self._api}/webhook_subscriptions"
        while url:
            page = self._call("GET", url, params=params)
            found += [_subscription(row) for row in page["collection"]]
            url, params = (page.get("pagination") or {}).get("next_page") or "", None
        return found

    def subscribe(self, callback_url: str, signing_key: str) -> Subscription:
        """Subscribe an address to all events that Funnel needs, signed with our key."""
        body = {
            "url": callback_url,
            "events": list(EVENTS),
            "organization": self._me()["current_organization"],
            "scope": "organization",
            "signing_key": signing_key,
        }
        return _subscription(self._call("POST", f"{self._api}/webhook_subscriptions", json=body)["resource"])

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove a subscription; one that is disabled never comes back by itself."""
        path = subscription.uri.rpartition("/")[2]
        self._call("DELETE", f"{self._api}/webhook_subscriptions/{path}")

    def _me(self) -> dict[str, Any]:
        return cast(dict[str, Any], self._call("GET", f"{self._api}/users/me")["resource"])

    def _call(self, method: str, url: str, **arguments: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"}
        return cast(dict[str, Any], ask("calendly", method, url, TIMEOUT_S, headers=headers, **arguments))


def _subscription(row: dict[str, Any]) -> Subscription:
    return Subscription(row["uri"], row["callback_url"], row["state"], tuple(row["events"]))
