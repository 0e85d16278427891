"""Ours: how our own mail is recognised when it comes back."""

from email.utils import parseaddr
from urllib.parse import urlsplit

from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up


def own_addresses(deps: Deps) -> set[str]:
    """Return the addresses that we send from and forward to."""
    settings = deps.settings
    mailboxes = (settings.from_email, settings.reply_to, settings.reply_forward_to)
    return {looked_up(parseaddr(mailbox)[1]) for mailbox in mailboxes if mailbox}


def loop_mark(deps: Deps) -> str:
    """Return the value of `X-Loop` in what we forward."""
    return f"funnel@{urlsplit(deps.settings.public_url).hostname}"
