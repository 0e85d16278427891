"""Whether a reader's program can reach an address: one that only the owner's own machine or network knows is none."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_WEB = re.compile(r"(?i:https?)://[^\s/?#]+", re.DOTALL)
# RFC 6761, RFC 6762 and RFC 9476, and what routers call their own network.
_NO_PUBLIC_ENDINGS = frozenset({"localhost", "local", "internal", "lan", "home", "intranet", "invalid", "test"})


def is_on_the_web(address: str) -> bool:
    """Tell whether an address begins like one of the web; where it leads is not asked."""
    return bool(_WEB.match(address))


def is_only_ours(address: str) -> bool:
    """Tell whether an address of the web leads to this machine or a network of one's own, where no reader comes."""
    host = _host(address)
    if host is None:
        return False
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.rpartition(".")[2] in _NO_PUBLIC_ENDINGS


def _host(address: str) -> str | None:
    """Return the host of an address of the web; None where it has none that can be read."""
    try:
        found = urlsplit(address.strip()) if is_on_the_web(address.strip()) else None
        return (found.hostname or "").rstrip(".") or None if found else None
    except ValueError:
        return None
