"""Callers: the keys under which one visitor's IP addresses, or one mailbox's aliases, are counted together."""

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# A household usually has a /64 and may use any address in it (RFC 6177, RFC 4291); a site, or whoever rents a server, a
# /48.
HOUSEHOLD_BITS, SITE_BITS = 64, 48
# 203.0.113.7:443, [2001:db8::1] and [2001:db8::1]:443 (RFC 3986, 3.2): some proxies name the port too.
WITH_PORT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<dotted>[\d.]+)(?=:))(?::\d{1,5})?", re.ASCII)
# https://www.rfc-editor.org/rfc/rfc6052 section 2.1
NAT64 = IPv6Network("64:ff9b::/96")
# Resend's test mailboxes, where each label stands for another person: delivered+ana@resend.dev.
# https://resend.com/docs/dashboard/emails/send-test-emails
SIMULATED = frozenset(f"{outcome}@resend.dev" for outcome in ("delivered", "bounced", "complained", "suppressed"))
# Gmail ignores dots: https://support.google.com/mail/answer/7436150
GMAIL = frozenset({"gmail.com", "googlemail.com"})


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address in a proxy's notation, alone or with a port; None for anything else."""
    found = WITH_PORT.fullmatch(text)
    with suppress(ValueError):
        return ip_address(found["bracketed"] or found["dotted"] if found else text)
    return None


def caller_key(address: str | None) -> str:
    """Return the key of one caller: an IPv4 address itself, IPv6's /64, other text cut short."""
    found = _canonical(address)
    if isinstance(found, IPv6Address):
        return _network(found, HOUSEHOLD_BITS)
    return str(found) if found else (address or "")[:HOUSEHOLD_BITS]


def site_key(address: str | None) -> str | None:
    """Return the key of one site, which is many households of IPv6; None for IPv4."""
    found = _canonical(address)
    return _network(found, SITE_BITS) if isinstance(found, IPv6Address) else None


def _canonical(text: str | None) -> IPv4Address | IPv6Address | None:
    """Return an address in its plain form: IPv4 also where it is mapped, 6to4, Teredo or NAT64."""
    found = address_of(text or "")
    if not isinstance(found, IPv6Address):
        return found
    teredo = found.teredo[1] if found.teredo else None
    nat64 = IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else None
    return found.ipv4_mapped or found.sixtofour or teredo or nat64 or found


def _network(address: IPv6Address, bits: int) -> str:
    return f"{IPv6Address(int(address) >> (128 - bits) << (128 - bits))}/{bits}"


def mailbox_of(email_norm: str) -> str:
    """Return the mailbox behind an address, without its +tag (RFC 5233); a test mailbox as it is."""
    local, _, domain = email_norm.rpartition("@")
    mailbox = f"{local.partition('+')[0] or local}@{domain}"
    if domain in GMAIL:
        return f"{mailbox.rpartition('@')[0].replace('.', '')}@gmail.com"
    return email_norm if mailbox in SIMULATED else mailbox
