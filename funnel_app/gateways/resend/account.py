"""Resend's account: its domains, the webhooks that it calls, and what is used of its quota. Reads, but for one call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import resend
from resend.exceptions import NoContentError, ResendError

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.answers import failure

PROVIDER = "resend"
# A key that may only send answers every reading call with this: it is good, and shows nothing.
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
# Told too where an address is made; without them emails go and arrive all the same.
MORE_EVENTS: Final = ("email.opened", "email.clicked", RECEIVED)


@dataclass(frozen=True)
class Endpoint:
    """One address that Resend tells of events; no events mean all kinds."""

    id: str
    url: str
    status: str
    events: tuple[str, ...]

    def is_told(self, event: str) -> bool:
        """Say whether it is told of a kind of event."""
        return not self.events or event in self.events

    @property
    def missing(self) -> tuple[str, ...]:
        """The events that Funnel needs and that are not told here."""
        return tuple(event for event in EVENTS if not self.is_told(event))


@dataclass(frozen=True)
class Quota:
    """How many emails of a day or month are used; limit is None where there is none."""

    name: str
    used: int
    limit: int | None

    @property
    def left(self) -> float:
        """The share that is left, 1.0 without a limit."""
        return 1.0 if not self.limit else max(0.0, 1 - self.used / self.limit)


@dataclass(frozen=True)
class Usage:
    """The account's quotas, and the calls a second that its team may make."""

    quotas: tuple[Quota, ...]
    rate: float | None


class Account:
    """Asks with the key that the Mailer of this process set. Raises Unavailable, or Rejected with Resend's name."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def domains(self) -> dict[str, str]:
        """Return the state of each domain by its name; only `verified` ones may send."""
        rows = self._read(resend.Domains.list)
        return {str(row["name"]).lower(): str(row["status"]) for row in _rows(rows)}

    def receiving_domains(self) -> set[str]:
        """Return the domains for which Resend takes mail in."""
        rows = _rows(self._read(resend.Domains.list))
        capabilities = {str(row["name"]).lower(): row.get("capabilities") for row in rows}
        return {n for n, can in capabilities.items() if isinstance(can, Mapping) and can.get("receiving") == "enabled"}

    def endpoints(self) -> list[Endpoint]:
        """Return every address that Resend tells of events."""
        return [_endpoint(row) for row in _rows(self._read(resend.Webhooks.list))]

    def add_endpoint(self, url: str) -> str:
        """Let Resend tell an address of all events that Funnel needs; return the secret that signs them."""
        made = self._read(lambda: resend.Webhooks.create({"endpoint": url, "events": [*EVENTS, *MORE_EVENTS]}))
        return str(made["signing_secret"])

    def secret_of(self, endpoint: Endpoint) -> str:
        """Return the secret that signs what an address is told (https://resend.com/docs/api-reference/webhooks)."""
        return str(self._read(lambda: resend.Webhooks.get(endpoint.id))["signing_secret"])

    def usage(self) -> Usage:
        """Return what is used of the account's quotas."""
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
    """Say whether a refusal means that the key is good, and restricted to sending."""
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
