"""Live checks of answers: keys, shared pages, webhooks and chats.

Each takes all values that are known so far, and raises Unfit, Unavailable or Rejected where its own does not do.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.gateways.http.calendly import Calendly
from funnel_app.gateways.http.chat import Alerts
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.schema import load_schema
from funnel_app.gateways.notion.workspace import NotionWorkspace
from funnel_app.gateways.redis.clients import fail_fast_client
from funnel_app.gateways.redis.refusals import why_away
from funnel_app.gateways.resend.account import Account, may_only_send
from funnel_app.gateways.resend.mailer import Mailer
from funnel_app.setting_checks import parts_of

RESEND_API, NOTION_API, CALENDLY_API = "https://api.resend.com", "https://api.notion.com", "https://api.calendly.com"
WEBHOOK_PATH, NAME = "/webhook/resend", "RESEND_WEBHOOK_SECRET"
# Mailboxes that anybody may have; nobody can verify such a domain.
OF_EVERYBODY = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "aol.com"}
    | {"gmx.de", "gmx.net", "web.de", "proton.me"}
)
HERE = ("localhost", "127.0.0.1", "::1")
# What Notion answers when a page's id is asked for as a database's.
NO_DATABASE = ("object_not_found", "validation_error")

Values = Mapping[str, str]


class Unfit(Exception):
    """A service rejects a value; the message says why and what to do."""


@dataclass(frozen=True)
class Found:
    """A check's result in words, and the values it found."""

    words: str
    values: Values = field(default_factory=dict)


def resend_key(values: Values) -> Found:
    """Describe what Resend shows with this key."""
    try:
        domains = _account(values).domains()
    except GatewayError as refused:
        if may_only_send(refused):
            return Found(
                "good, and may only send: make one with full access, or nobody can look what became of an email, "
                "and no reply can be fetched"
            )
        raise
    return Found(
        f"good; its domains: {', '.join(f'{name} ({state})' for name, state in domains.items()) or 'none yet'}"
    )


def sender(values: Values) -> Found:
    """Check that Resend has verified the sender's domain."""
    domain = parseaddr(values["FROM_EMAIL"])[1].rpartition("@")[2].lower()
    try:
        state = _account(values).domains().get(domain)
    except GatewayError as refused:
        if may_only_send(refused):
            return Found("not known: the key may only send")
        raise
    if domain in OF_EVERYBODY:
        raise Unfit(f"{domain} is its provider's: use an address of a domain of your own, which Resend can verify.")
    if state != "verified":
        known = f"{domain} is {state}" if state else f"{domain} is none of the account's domains"
        raise Unfit(f"{known}: add it at Resend, and set the DNS records that it names.")
    return Found(f"{domain} is verified")


def webhook(values: Values) -> Found:
    """Register our webhook with Resend if needed, and fetch its signing secret."""
    address = values["PUBLIC_URL"].rstrip("/") + WEBHOOK_PATH
    if is_here(values["PUBLIC_URL"]) and not is_here(values.get("RESEND_API_URL", RESEND_API)):
        made = values.get(NAME) or f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        return Found(f"{address} is out of Resend's reach: no event comes, and it is asked instead", {NAME: made})
    account = _account(values)
    known = next((each for each in account.endpoints() if each.url.rstrip("/") == address), None)
    if known is not None:
        secret, ours = account.secret_of(known), values.get(NAME, "")
        # While it is changed there are two.
        kept = ours if secret in parts_of(ours) else secret
        return Found(f"Resend tells {address} of its events already; the secret is fetched", {NAME: kept})
    return Found(f"Resend tells {address} of every event from now on", {NAME: account.add_endpoint(address)})


def notion_token(values: Values) -> Found:
    """Describe whose token it is."""
    calls = _notion(values)
    try:
        bot = calls.read(calls.client.users.me)
    finally:
        calls.close()
    return Found(f"the integration {bot.get('name') or bot.get('id')}")


def templates_database(values: Values) -> Found:
    """Check that the database is shared with the integration; below a shared page, create what is missing."""
    given, calls = values["NOTION_TEMPLATES_DB_ID"], _notion(values)
    try:
        calls.find_source(given)
        return Found("shared with the integration")
    except Rejected as refused:
        if refused.code not in NO_DATABASE or not _is_page(calls, given):
            raise Unfit(f"{refused.message} Share it with the integration: … at its top right, Connections.") from None
        return _make_databases(calls, given, values)
    finally:
        calls.close()


def _is_page(calls: NotionCalls, given: str) -> bool:
    try:
        calls.read(calls.client.pages.retrieve, given)
    except Rejected:
        return False
    return True


def _make_databases(calls: NotionCalls, page: str, values: Values) -> Found:
    schema = load_schema()
    wanted = {f"NOTION_{key.upper()}_DB_ID": table for key, table in schema.items()}
    missing = {
        name: table for name, table in wanted.items() if name == "NOTION_TEMPLATES_DB_ID" or not values.get(name)
    }
    desk = NotionWorkspace(calls, schema, {})
    made = {name: desk.make_database(table, page) for name, table in missing.items()}
    return Found(f"made below that page: {', '.join(table.title for table in missing.values())}", made)


def calendly_token(values: Values) -> Found:
    """Count Calendly's subscriptions, and create the key that signs its events."""
    known = Calendly(values["CALENDLY_TOKEN"], values.get("CALENDLY_API_URL", CALENDLY_API)).find_subscriptions()
    key = values.get("CALENDLY_SIGNING_KEY") or secrets.token_hex(24)
    return Found(f"good; {len(known)} subscriptions so far", {"CALENDLY_SIGNING_KEY": key})


def chat(values: Values) -> Found:
    """Post a message in the chat for alerts."""
    Alerts().post(
        values["ALERT_WEBHOOK_URL"], "Funnel is being set up, and will tell here what is wrong and when it is over."
    )
    return Found("a message is there now")


def dead_mans_switch(values: Values) -> Found:
    """Send one heartbeat."""
    Alerts().ping(values["HEARTBEAT_URL"])
    return Found("it heard us")


def redis(values: Values) -> Found:
    """Check that Redis answers and accepts writes."""
    if why := why_away(fail_fast_client(values["REDIS_URL"])):
        raise Unfit(f"Redis {why}.")
    return Found("it answers, and takes writes")


def is_here(url: str) -> bool:
    """Return whether an address leads to this machine."""
    return (urlsplit(url).hostname or "") in HERE


def _account(values: Values) -> Account:
    Mailer(values["RESEND_API_KEY"], values.get("RESEND_API_URL", RESEND_API))
    return Account(lambda: datetime.now(UTC))


def _notion(values: Values) -> NotionCalls:
    return NotionCalls(values["NOTION_TOKEN"], values.get("NOTION_API_URL", NOTION_API))
