"""Resend account: domains, webhooks, and quota. Read-only, except for adding a webhook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import resend
from resend.exceptions import NoContentError, ResendError

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.answers import failure

PROVIDER = "resend"
# A sending-only key gets this for every read: it is valid, and shows nothing.
SENDING_ONLY = "restricted_api_key"
EVENTS: Final = (
    "email.sent",
    "email.delivered",
    "email.delivery_delayed",
    "email.bounced",
    "email.complained",
    "email.failed",
    "email.suppressed",
)
RECEIVED: Final = "email.received"
# Also subscribed when we create the webhook; emails do not depend on them.
MORE_EVENTS: Final = ("email.opened", "email.clicked", RECEIVED)


@dataclass(frozen=True)
class Endpoint:
    """A webhook of Resend; no events mean all kinds."""

    id: str
    url: str
    status: str
    events: tuple[str, ...]

    def subscribes_to(self, event: str) -> bool:
        """Say whether it gets this kind of event."""
        return not self.events or event in self.events

    @property
    def missing(self) -> tuple[str, ...]:
        """The events that Funnel needs and it does not get."""
        return tuple(event for event in EVENTS if not self.subscribes_to(event))


@dataclass(frozen=True)
class Quota:
    """How many emails of a day or month are used; limit is None if unlimited."""

    name: str
    used: int
    limit: int | None

    @property
    def left(self) -> float:
        """The share that is left, 1.0 if unlimited."""
        return 1.0 if not self.limit else max(0.0, 1 - self.used / self.limit)


@dataclass(frozen=True)
class Usage:
    """The account's quotas, and its team's rate limit."""

    quotas: tuple[Quota, ...]
    rate: float | None


class Account:
    """Uses the key that this process's Mailer set. Raises Unavailable, or Rejected with Resend's code."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def domains(self) -> dict[str, str]:
        """Return the state of each domain by name; only `verified` ones may send."""
        rows = self._read(resend.Domains.list)
        return {str(row["name"]).lower(): str(row["status"]) for row in _rows(rows)}

    def receiving_domains(self) -> set[str]:
        """Return the domains whose mail Resend receives."""
        rows = _rows(self._read(resend.Domains.list))
        capabilities = {str(row["name"]).lower(): row.get("capabilities") for row in rows}
        return {n for n, can in capabilities.items() if isinstance(can, Mapping) and can.get("receiving") == "enabled"}

    def endpoints(self) -> list[Endpoint]:
        """Return all webhooks."""
        return [_endpoint(row) for row in _rows(self._read(resend.Webhooks.list))]

    def add_endpoint(self, url: str) -> str:
        """Create a webhook for all events that Funnel needs; return its signing secret."""
        made = self._read(lambda: resend.Webhooks.create({"endpoint": url, "events": [*EVENTS, *MORE_EVENTS]}))
        return str(made["signing_secret"])

    def secret_of(self, endpoint: Endpoint) -> str:
        """Return the signing secret of a webhook (https://resend.com/docs/api-reference/webhooks)."""
        return str(self._read(lambda: resend.Webhooks.get(endpoint.id))["signing_secret"])

    def usage(self) -> Usage:
        """Return the usage of the account's quotas."""
        said = self._read(resend.Usage.get)
        emails = said.get("emails") or {}
        quotas = [_quota(name, emails[name]) for name in ("daily", "monthly") if isinstance(emails.get(name), Mapping)]
        return Usage(tuple(quotas), _rate(said.get("rate_limit") or {}))

    def _read(self, call: Callable[[], Any]) -> dict[str, Any]:
        try:
            return cast(dict[str, Any], call())
        except NoContentError:
            raise Unavailable(PROVIDER, "The answer was empty.") from None
        except ResendError as error:
            raise failure(error, self._now()) from error


def may_only_send(refused: Exception) -> bool:
    """Say whether a refusal means that the key is valid and restricted to sending."""
    return isinstance(refused, Rejected) and refused.code == SENDING_ONLY


def _rows(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = said.get("data")
    if not isinstance(rows, list):
        raise Unavailable(PROVIDER, f"The answer has another form than expected: {str(said)[:200]}")
    return rows


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(str(row["id"]), str(row["endpoint"]), str(row.get("status")), tuple(row.get("events") or ()))


def _quota(name: str, row: Mapping[str, Any]) -> Quota:
    return Quota(name, int(row.get("used") or 0), row.get("limit"))


def _rate(row: Mapping[str, Any]) -> float | None:
    limit, window = row.get("limit"), str(row.get("duration") or "1000ms")
    milliseconds = float(window.removesuffix("ms")) if window.removesuffix("ms").isdigit() else 1000.0
    return limit * 1000 / milliseconds if isinstance(limit, int | float) and milliseconds else None
