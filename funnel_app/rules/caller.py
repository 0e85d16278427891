"""Callers: under which key a person is counted who has many addresses of the internet, or many of one mailbox."""

from contextlib import suppress
from ipaddress import IPv6Address, ip_address

# One household gets a /64, and whoever has one may call from each of its addresses (RFC 6177, RFC 4291).
HOUSEHOLD_BITS = 64
# Resend's simulated mailboxes, each label of which stands for a person of its own: delivered+ana@resend.dev.
# https://resend.com/docs/dashboard/emails/send-test-emails
SIMULATED = frozenset(f"{outcome}@resend.dev" for outcome in ("delivered", "bounced", "complained", "suppressed"))


def caller_key(address: str | None) -> str:
    """Return what one caller's addresses have in common: IPv4 as it is, IPv6's /64; other text as it is, cut short."""
    with suppress(ValueError):
        found = ip_address((address or "").partition("%")[0])
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found
        if isinstance(found, IPv6Address):
            return f"{IPv6Address(int(found) >> HOUSEHOLD_BITS << HOUSEHOLD_BITS)}/{HOUSEHOLD_BITS}"
        return str(found)
    return (address or "")[:HOUSEHOLD_BITS]


def mailbox_of(email_norm: str) -> str:
    """Return the mailbox that an address and those with another +tag lead to (RFC 5233); a simulated one as it is."""
    local, _, domain = email_norm.rpartition("@")
    mailbox = f"{local.partition('+')[0] or local}@{domain}"
    return email_norm if mailbox in SIMULATED else mailbox
