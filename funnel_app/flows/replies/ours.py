"""Ours: how our own mail is recognised when it comes back."""

from email.utils import parseaddr
from urllib.parse import urlsplit

from funnel_app.config import Settings
from funnel_app.flows.addresses import looked_up


def own_addresses(settings: Settings) -> set[str]:
    """Return the addresses that we send from and forward to."""
    mailboxes = (settings.from_email, settings.reply_to, settings.reply_forward_to)
    return {looked_up(parseaddr(mailbox)[1]) for mailbox in mailboxes if mailbox}


def loop_mark(settings: Settings) -> str:
    """Return the value of `X-Loop` in what we forward."""
    return f"funnel@{urlsplit(settings.public_url).hostname}"
