"""Redact: remove secrets and full addresses from texts that leave the ledger for a log or a chat."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from funnel_app.config import Settings
from funnel_app.setting_checks import parts_of

# Any character of an address: runs are matched in linear time, whatever they hold.
RUN = re.compile(r"[\w.!#$%&'*+/=?^`{|}~@-]+")
DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
# Tokens that may appear without being a setting: Resend's keys, Notion's, webhook secrets, bearers.
TOKENS = re.compile(r"\b(?:re|ntn|secret|whsec|sk)_[\w/+=-]{6,}|(?i:bearer\s+)[\w.~+/=-]{6,}|(?<=/[uk]/)[\w-]{8,}")
SHORTEST_SECRET = 6


def masked_addresses(text: str) -> str:
    """Return a text with each email address reduced to its first letter and domain."""
    return RUN.sub(_masked, text) if "@" in text else text


def _masked(run: re.Match[str]) -> str:
    parts = run[0].split("@")
    hidden = [f"{part[0]}***" if part and DOMAIN.match(following) else part for part, following in pairwise(parts)]
    return "@".join([*hidden, parts[-1]])


def redactor(settings: Settings) -> Callable[[str], str]:
    """Return a function that removes the settings' secrets, tokens and full addresses from a text."""
    hide = secret_hider(settings)
    return lambda text: masked_addresses(hide(text))


def secret_hider(settings: Settings) -> Callable[[str], str]:
    """Return a function that removes secrets and tokens and keeps addresses, for operators and the ledger."""
    secrets = {secret for secret in _secrets(settings) if len(secret) >= SHORTEST_SECRET}
    spelled = sorted({spelling for secret in secrets for spelling in _spellings(secret)}, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, spelled))) if spelled else None
    return lambda text: TOKENS.sub("***", known.sub("***", text) if known else text)


def _spellings(secret: str) -> Iterable[str]:
    """Yield a secret in the forms in which libraries print it: itself, a Python literal, URL-encoded."""
    yield secret
    yield repr(secret)[1:-1]
    yield quote(secret, safe="")


def _secrets(settings: Settings) -> Iterable[str]:
    yield from settings.hook_secrets
    yield from settings.calendly_signing_keys
    yield from settings.calcom_signing_keys
    several_each = settings.secret_key, settings.resend_webhook_secret, settings.legacy_key, settings.metrics_token
    for several in several_each:
        yield from parts_of(several)
    for address in (settings.database_url, settings.redis_url):
        yield from _password_in(address)
    for value in (
        settings.calendly_token,
        settings.resend_api_key,
        settings.notion_token,
        settings.console_password,
        settings.alert_webhook_url,
        settings.leads_webhook_url,
        settings.heartbeat_url,
        *settings.events_webhook_urls,
        *settings.events_webhook_secrets,
        settings.sentry_dsn,
    ):
        yield value or ""


def _password_in(address: str) -> Iterable[str]:
    """Yield the password in a URL, as written and decoded."""
    password = urlsplit(address).password
    if password:
        yield from {password, unquote(password)}


def redact_all(value: Any, redact: Callable[[str], str]) -> Any:
    """Return plain data with every text in it redacted; keys stay."""
    # Usually nothing matches: one search over all texts is cheaper than one per text.
    together = "\n".join(_texts_in(value))
    return value if redact(together) == together else _redacted(value, redact)


def _texts_in(value: Any) -> Iterable[str]:
    found: list[str] = []
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, Mapping):
            left += each.values()
        elif isinstance(each, list | tuple):
            left += each
    return found


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {name: _redacted(inner, redact) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner, redact) for inner in value]
    return value
