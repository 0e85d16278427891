"""Checks of Resend: key, sending domain, webhook, replies, and remaining quota."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Check, Findings, fault, ok, one_fault, preventing, warning
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.gateways.resend.account import RECEIVED, Endpoint, Usage, may_only_send
from funnel_app.ledger import received_emails
from funnel_app.ledger.queries import watching

WEBHOOK_PATH = "/webhook/resend"
UNHEARD = timedelta(hours=1)
LITTLE_LEFT = 0.2
SPANS = {"daily": "today", "monthly": "this month"}
RECEIVED_BY_RESEND = ".resend.app"
NAMES = ("resend key", "from domain", "resend webhook", "resend quota", "resend rate")
LOST_BY_SENDING_ONLY = "an email that no report comes on cannot be asked after, and no reply can be fetched"
NO_REPLIES = ok("replies", "not used: they go to REPLY_TO or FROM_EMAIL, past Funnel (docs/replies.md)")
MAKE = "run flask --app wsgi resend webhooks --create, and set RESEND_WEBHOOK_SECRET to what it prints"


def account(deps: Deps) -> Findings:
    """The key works, may send from our domain, and Resend reports each email's events."""
    try:
        domains = deps.account.domains()
    except GatewayError as error:
        # Without replies configured, it does not matter that they cannot be checked.
        used = _uses_replies(deps)
        yield from _unreadable(error, (*NAMES, "replies") if used else NAMES)
        yield from () if used else (NO_REPLIES,)
        return
    yield ok("resend key", "good, and may read")
    yield from_domain(deps.settings, domains)
    yield from _asked(("resend webhook",), lambda: [webhook(deps.settings, deps.account.endpoints())])
    yield from _asked(("resend quota", "resend rate"), lambda: _used(deps.account.usage()))
    yield from _asked(("replies",), lambda: replies(deps, deps.account.endpoints(), deps.account.receiving_domains()))


def _asked(names: Sequence[str], look: Callable[[], Iterable[Check]]) -> Findings:
    try:
        yield from look()
    except GatewayError as error:
        for name in names:
            yield warning(name, f"Resend does not say: {error.message}", "look at Resend's dashboard")


def _unreadable(error: GatewayError, names: Sequence[str]) -> Findings:
    if may_only_send(error):
        yield preventing(
            warning(names[0], f"may only send: {LOST_BY_SENDING_ONLY}", "use a key with full access"), names[1:]
        )
    elif isinstance(error, Rejected):
        fix = "make a key at resend.com and set RESEND_API_KEY"
        yield one_fault(names, f"Resend refuses it: {error.message}", fix)
    else:
        fix = "fix the setting that it names, or look at Resend's status page: emails go when it is back"
        yield one_fault(names, f"Resend cannot be asked: {error.message}", fix)


def from_domain(settings: Settings, domains: dict[str, str]) -> Check:
    """Say whether Resend has verified the domain of FROM_EMAIL."""
    domain = _domain(settings.from_email)
    status = domains.get(domain)
    if status == "verified":
        return ok("from domain", f"{domain} is verified")
    words = f"{domain} is {status}" if status else f"{domain} is none of the account's domains"
    return fault("from domain", words, "add the domain at Resend and set the DNS records that it names")


def webhook(settings: Settings, endpoints: list[Endpoint]) -> Check:
    """Say whether Resend sends every event that we need to our address."""
    address = _address(settings)
    ours = next((endpoint for endpoint in endpoints if endpoint.url.rstrip("/") == address), None)
    if ours is None:
        return fault("resend webhook", f"Resend tells {address} nothing", MAKE)
    if ours.status != "enabled":
        return fault("resend webhook", f"{address} is {ours.status}", "enable it in Resend's dashboard")
    if ours.missing:
        return fault(
            "resend webhook", f"{address} is not told of {', '.join(ours.missing)}", "add them in the dashboard"
        )
    return ok("resend webhook", f"{address} is told of every event")


def replies(deps: Deps, endpoints: list[Endpoint], receiving: Collection[str]) -> Findings:
    """Replies reach Funnel, and are forwarded to the owner's mailbox."""
    settings = deps.settings
    with deps.reads() as session:
        last = received_emails.last_at(session)
    if not _uses_replies(deps):
        yield NO_REPLIES
        return
    domain = _domain(settings.reply_to or settings.from_email)
    if domain not in receiving and not domain.endswith(RECEIVED_BY_RESEND):
        words = f"answers go to {domain}, for which Resend takes no mail in: Funnel does not see them"
        yield warning(
            "replies", words, "set up receiving at Resend (an MX record), or another REPLY_TO: docs/replies.md"
        )
    elif not any(
        each.url.rstrip("/") == _address(deps.settings) and each.subscribes_to(RECEIVED) for each in endpoints
    ):
        yield warning("replies", f"{_address(deps.settings)} is not told of {RECEIVED}", "add it in Resend's dashboard")
    elif settings.reply_forward_to and _domain(settings.reply_forward_to) in receiving:
        words = f"REPLY_FORWARD_TO is at {_domain(settings.reply_forward_to)}, whose mail Resend takes in"
        yield fault("replies", words, "set it to a mailbox of yours that is elsewhere: what goes on would come again")
    else:
        to = "they go on to your mailbox" if settings.reply_forward_to else "they stay in the console"
        yield ok("replies", f"answers to {domain} are told, and {to}; {_last(last, deps.now())}")


def _uses_replies(deps: Deps) -> bool:
    with deps.reads() as session:
        return deps.settings.reply_forward_to is not None or received_emails.last_at(session) is not None


def _domain(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2].lower()


def _address(settings: Settings) -> str:
    return settings.public_url + WEBHOOK_PATH


def _used(usage: Usage) -> Findings:
    words = ", ".join(
        f"{q.used:,}{f' of {q.limit:,}' if q.limit else ''} sent {SPANS.get(q.name, q.name)}" for q in usage.quotas
    )
    left = min((quota.left for quota in usage.quotas), default=1.0)
    if left <= 0:
        yield fault("resend quota", words, "raise the plan at Resend, or wait for the reset")
    elif left < LITTLE_LEFT:
        yield warning("resend quota", words, "raise the plan at Resend before it is used up")
    else:
        yield ok("resend quota", words or "no limit")
    yield ok("resend rate", f"{usage.rate:g} calls a second for the team" if usage.rate else "Resend does not say")


def events(deps: Deps) -> Findings:
    """Resend's events arrive while emails go out."""
    with deps.reads() as session:
        heard, unheard_since = watching.last_report_at(session), watching.unheard_since(session)
    detail = _last(heard, deps.now())
    if unheard_since is not None and deps.now() - unheard_since > UNHEARD:
        words = f"{detail}, and emails have gone out since {said_at(deps, unheard_since)}"
        yield fault("resend events", words, "see resend's address for reports: Resend disables one that fails for days")
    else:
        yield ok("resend events", detail)


def _last(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "none has come so far"
    minutes = int((now - at).total_seconds()) // 60
    return f"the last came {f'{minutes} min' if minutes < 120 else f'{minutes // 60} h'} ago"
