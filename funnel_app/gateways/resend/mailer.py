"""Mailer: send emails through Resend, ask for their state, and verify its webhooks."""

import base64
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import requests
import resend
from resend.exceptions import NoContentError, ResendError

from funnel_app.gateways.connecting import whole
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.prompt import prompt_session
from funnel_app.gateways.resend.answers import Answer, AnswerKind, accepted_batch, accepted_one, failure, refused_call

__all__ = ["Answer", "AnswerKind", "Mailer", "verify_webhook"]

PROVIDER = "resend"
API_URL = "https://api.resend.com"
CONNECT_TIMEOUT_S = 3.0


def utc_now() -> datetime:
    """Return the time, aware and UTC."""
    return datetime.now(UTC)


class SessionClient(resend.HTTPClient):
    """The SDK's transport over a kept connection, with a short timeout for a whole call; no redirects, no retries."""

    def __init__(self, timeout_s: float) -> None:
        connect = min(CONNECT_TIMEOUT_S, timeout_s / 2)
        # Two limits of requests, to connect and to have the whole response, stay within ours together.
        self._timeout = (connect, timeout_s - connect)
        self._sessions: dict[int, requests.Session] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make one HTTP call; the SDK turns any exception into its network error."""
        response = self._session().request(
            method,
            url,
            headers=headers,
            json=json,
            files=files,
            data=data,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        )
        return whole(response), response.status_code, response.headers

    def close(self) -> None:
        """Close the kept connections."""
        with self._lock:
            while self._sessions:
                self._sessions.popitem()[1].close()

    def _session(self) -> requests.Session:
        # A forked process must not share a TLS connection with its parent.
        with self._lock:
            process = os.getpid()
            if process not in self._sessions:
                self._sessions[process] = _new_session()
            return self._sessions[process]


def _new_session() -> requests.Session:
    session = prompt_session()
    # Without an explicit auth, requests would replace our bearer token by a .netrc entry.
    session.auth = lambda request: request
    return session


class Mailer:
    """Sends emails through Resend. Create one per process: the SDK keeps its key, address and transport in globals."""

    def __init__(
        self,
        api_key: str,
        api_url: str | None = None,
        timeout_s: float = 7.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._now = now
        self._client = SessionClient(timeout_s)
        resend.api_key = api_key
        resend.api_url = (api_url or API_URL).rstrip("/")
        resend.default_http_client = self._client

    def send(self, payloads: Sequence[Mapping[str, object]], idempotency_key: str) -> Answer:
        """Send one email, or several as a permissive batch; returns every answer and failure, raises none."""
        if not payloads:
            raise ValueError("There is nothing to send.")
        try:
            if len(payloads) == 1:
                return self._send_one(payloads[0], idempotency_key)
            return self._send_batch(payloads, idempotency_key)
        except ResendError as error:
            return refused_call(error, self._now())
        except NoContentError:
            return Answer(AnswerKind.UNKNOWN, detail="Resend's answer was empty.")

    def last_event(self, resend_id: str) -> str | None:
        """Return what Resend last saw of an email, None where it does not know it.

        Raises Unavailable, and Rejected with code restricted_api_key where the key may only send.
        """
        try:
            email = resend.Emails.get(resend_id)
        except NoContentError:
            raise Unavailable(PROVIDER, "The answer was empty.") from None
        except ResendError as error:
            if str(error.code) == "404" and error.error_type == "not_found":
                return None
            raise failure(error, self._now()) from error
        found = email.get("last_event") if isinstance(email, Mapping) else None
        return str(found) if found else None

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _send_one(self, payload: Mapping[str, object], key: str) -> Answer:
        body = resend.Emails.send(cast(resend.Emails.SendParams, dict(payload)), {"idempotency_key": key})
        return accepted_one(*_split(body))

    def _send_batch(self, payloads: Sequence[Mapping[str, object]], key: str) -> Answer:
        emails = cast(list[resend.Emails.SendParams], [dict(payload) for payload in payloads])
        body = resend.Batch.send(emails, {"idempotency_key": key, "batch_validation": "permissive"})
        return accepted_batch(*_split(body), len(payloads))


def _split(body: object) -> tuple[object, dict[str, str]]:
    """Separate Resend's response from the HTTP headers that the SDK mixes into it."""
    if not isinstance(body, dict):
        return body, {}
    said = {name: value for name, value in body.items() if name != "http_headers"}
    return said, body.get("http_headers") or {}


def verify_webhook(payload: bytes, headers: Mapping[str, str], secret: str) -> dict[str, Any]:
    """Return the event signed with one of the comma-separated secrets; Rejected if none fits."""
    given = {name.lower(): value for name, value in headers.items()}
    signed: resend.WebhookHeaders = {
        "id": given.get("svix-id", ""),
        "timestamp": given.get("svix-timestamp", ""),
        "signature": given.get("svix-signature", ""),
    }
    faults = []
    for candidate in filter(_has_key, (part.strip() for part in secret.split(","))):
        try:
            event = _verified(payload, signed, candidate)
        except ValueError as error:
            faults.append(str(error))
        else:
            return event
    raise Rejected(PROVIDER, faults[-1] if faults else "no signing secret is set", code="invalid_signature")


def _verified(payload: bytes, signed: resend.WebhookHeaders, secret: str) -> dict[str, Any]:
    # The SDK needs text: for bytes it signs their repr, which never matches.
    event = resend.Webhooks.verify({"payload": payload.decode(), "headers": signed, "webhook_secret": secret})
    if not isinstance(event, dict):
        raise ValueError("the event is not a JSON object")
    return cast(dict[str, Any], event)


def _has_key(secret: str) -> bool:
    # base64 ignores unknown characters, so a mangled secret may decode to an empty key, which anybody can sign with.
    try:
        return bool(base64.b64decode(secret.removeprefix("whsec_")))
    except ValueError:
        return False
