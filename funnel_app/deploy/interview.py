"""Interview: each setting asked for in turn, checked by its rule and by the one who knows, and written down."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

from funnel_app.config import MEANINGS, examine_settings
from funnel_app.gateways.errors import GatewayError
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.resend.account import Account, may_only_send
from funnel_app.gateways.resend.mailer import Mailer

RESEND_API, NOTION_API = "https://api.resend.com", "https://api.notion.com"
WEBHOOK_PATH = "/webhook/resend"
HEAD = "# Made by python -m funnel_app.commands.setup. It holds secrets: it is for its owner alone.\n"

Values = Mapping[str, str]


class Unfit(Exception):
    """Who knows says that a value does not do; the message says why and what to do."""


@dataclass(frozen=True)
class Question:
    """One setting: what stands there if nothing is said, what it is asked of, and what finds it by itself."""

    name: str
    default: str = ""
    secret: bool = False
    check: Callable[[Values], str] | None = None
    find: Callable[[Values], str | None] | None = None

    @property
    def meaning(self) -> str:
        """What the setting is, in the words of the README."""
        return MEANINGS[self.name]


def resend_key(values: Values) -> str:
    """Say what Resend shows with this key. Raises Unfit, Unavailable or Rejected."""
    try:
        domains = _account(values).domains()
    except GatewayError as refused:
        if may_only_send(refused):
            return "good, and may only send: Funnel cannot ask what became of an email; one with full access is better"
        raise
    return f"good; its domains: {', '.join(f'{name} ({state})' for name, state in domains.items()) or 'none yet'}"


def sender(values: Values) -> str:
    """Say whether Resend has verified the sender's domain. Raises Unfit, Unavailable or Rejected."""
    domain = parseaddr(values["FROM_EMAIL"])[1].rpartition("@")[2].lower()
    try:
        state = _account(values).domains().get(domain)
    except GatewayError as refused:
        if may_only_send(refused):
            return "not known: the key may only send"
        raise
    if state != "verified":
        known = f"{domain} is {state}" if state else f"{domain} is none of the account's domains"
        raise Unfit(f"{known}: add it at Resend, and set the DNS records that it names.")
    return f"{domain} is verified"


def webhook_secret(values: Values) -> str | None:
    """Let Resend tell our address of every event; the secret, or None where it does already or the key may not."""
    account, address = _account(values), values["PUBLIC_URL"].rstrip("/") + WEBHOOK_PATH
    try:
        if any(endpoint.url.rstrip("/") == address for endpoint in account.endpoints()):
            return None
        return account.add_endpoint(address)
    except GatewayError:
        return None


def notion_token(values: Values) -> str:
    """Say whose the token is. Raises Unavailable or Rejected."""
    calls = _notion(values)
    try:
        bot = calls.read(calls.client.users.me)
    finally:
        calls.close()
    return f"the integration {bot.get('name') or bot.get('id')}"


def templates_database(values: Values) -> str:
    """Say that the database is shared with the integration. Raises Unavailable or Rejected."""
    calls = _notion(values)
    try:
        calls.find_source(values["NOTION_TEMPLATES_DB_ID"])
    finally:
        calls.close()
    return "shared with the integration"


def _account(values: Values) -> Account:
    Mailer(values["RESEND_API_KEY"], values.get("RESEND_API_URL", RESEND_API))
    return Account(lambda: datetime.now(UTC))


def _notion(values: Values) -> NotionCalls:
    return NotionCalls(values["NOTION_TOKEN"], values.get("NOTION_API_URL", NOTION_API))


QUESTIONS = (
    Question("PUBLIC_URL"),
    Question("COMPANY_NAME"),
    Question("COMPANY_ADDRESS"),
    Question("TESTING_MODE", default="true"),
    Question("RESEND_API_KEY", secret=True, check=resend_key),
    Question("FROM_EMAIL", check=sender),
    Question("RESEND_WEBHOOK_SECRET", secret=True, find=webhook_secret),
    Question("NOTION_TOKEN", secret=True, check=notion_token),
    Question("NOTION_TEMPLATES_DB_ID", check=templates_database),
    Question("ALERT_WEBHOOK_URL"),
    Question("HEARTBEAT_URL"),
)
# Nobody has to think of these.
MADE = ("SECRET_KEY", "HOOK_SECRET", "CONSOLE_PASSWORD", "METRICS_TOKEN", "REDIS_PASSWORD")


def wrong_with(name: str) -> str | None:
    """Return what the rule of a setting says of its value in the environment; None where it is fine."""
    _, faults = examine_settings(None)
    return " ".join(faults[name]) if name in faults else None


def make_secrets(values: Values) -> dict[str, str]:
    """Return a secret for each that has none yet."""
    return {name: secrets.token_hex(24) for name in MADE if not values.get(name)}


def write(file: Path, values: Values) -> None:
    """Write a `.env` file that its owner alone may read, in place of the one that is there."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(HEAD + "".join(f"{name}={_quoted(value)}\n" for name, value in values.items()))
    new.replace(file)


def _quoted(value: str) -> str:
    """Return a value as every reader of such files takes it: in quotes where it holds more than plain signs."""
    if value.isascii() and not set(value) & set(" #$'\"\\`"):
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"
