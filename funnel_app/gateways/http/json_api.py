"""Calls to somebody's JSON API: each is whole within its time, and a failure says what was wrong."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from funnel_app.gateways.connecting import why_not_sent
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.prompt import prompt_session

NO_ADDRESS = (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL)


def call(provider: str, method: str, url: str, timeout_s: float, **more: Any) -> requests.Response:
    """Return the response to one call, whatever its status; a redirect is not followed.

    Raises Unavailable, or Rejected for what is no address.
    """
    try:
        with prompt_session() as session:
            session.auth = lambda request: request  # else an entry in .netrc would replace our token
            return session.request(method, url, timeout=timeout_s, allow_redirects=False, **more)
    except NO_ADDRESS:
        raise Rejected(provider, f"{url} is no web address: it begins with https://") from None
    except OSError as error:  # all of requests' own, and a file of certificates that is not there
        why = why_not_sent(error) or type(error).__name__
        raise Unavailable(provider, f"cannot be reached: {why}") from None


def ask(provider: str, method: str, url: str, timeout_s: float, **more: Any) -> Any:
    """Return what an API's JSON says, {} where it says nothing. Raises Unavailable, or Rejected for 3xx and 4xx."""
    answer = call(provider, method, url, timeout_s, **more)
    status = answer.status_code
    if status == 429 or status >= 500:
        raise Unavailable(provider, f"{status} {words_of(answer)}".strip())
    if status >= 400:
        raise Rejected(provider, f"{method} {urlsplit(url).path}: {status} {words_of(answer)}".strip(), str(status))
    if status >= 300:
        raise Rejected(provider, f"{url} has moved to {answer.headers.get('Location', 'elsewhere')}", str(status))
    return said_by(provider, answer) if answer.content else {}


def said_by(provider: str, answer: requests.Response) -> Any:
    """Return a response's JSON; Unavailable where it is something else, as a proxy's page in between is."""
    try:
        return answer.json()
    except requests.JSONDecodeError:
        where = urlsplit(answer.url)
        told = f"{where.scheme}://{where.netloc}{where.path} answers {answer.status_code} with something else than JSON"
        raise Unavailable(provider, f"{told}: is that its address, and is nothing in between?") from None


def words_of(answer: requests.Response) -> str:
    """Return why an API refused, in its own words; its status's name where it has none."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return answer.reason or ""
    if not isinstance(body, dict):
        return ""
    return " ".join([str(body.get("message") or body.get("title") or ""), *_details(body.get("errors"))]).strip()


def _details(errors: object) -> Iterator[str]:
    if isinstance(errors, dict):
        for field, text in errors.items():
            yield f"{field}: {''.join(map(str, text)) if isinstance(text, list) else text}"
