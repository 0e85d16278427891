"""Reach: whether an address is public, or known only on the owner's machine or network."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_WEB = re.compile(r"(?i:https?)://[^\s/?#]+", re.DOTALL)
# RFC 6761, RFC 6762 and RFC 9476, and routers' names for the local network.
_NO_PUBLIC_ENDINGS = frozenset({"localhost", "local", "internal", "lan", "home", "intranet", "invalid", "test"})


def is_on_the_web(address: str) -> bool:
    """Say whether an address is http or https, without asking where it leads."""
    return bool(_WEB.match(address))


def is_only_ours(address: str) -> bool:
    """Say whether a web address leads to this machine or a private network, out of readers' reach."""
    host = _host(address)
    if host is None:
        return False
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.rpartition(".")[2] in _NO_PUBLIC_ENDINGS


def _host(address: str) -> str | None:
    """Return the host of a web address; None if it has none."""
    try:
        found = urlsplit(address.strip()) if is_on_the_web(address.strip()) else None
        return (found.hostname or "").rstrip(".") or None if found else None
    except ValueError:
        return None
