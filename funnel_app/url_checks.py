"""Checks of settings that are server addresses: each raises ValidationError, and never shows a value."""

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from marshmallow import ValidationError

from funnel_app.setting_checks import parts_of

LEDGERS = ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")
A_LEDGER = "must be sqlite:////folder/funnel.db or postgresql://user:password@host:5432/name."
A_REDIS = "must be redis://host:6379/0, rediss://… or unix:///path."
A_FILE = "must name a file behind four slashes, as sqlite:////data/funnel.db, with nothing behind it."
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# The options that redis-py and Funnel understand; redis-py passes on any other, and fails at the first call.
OF_REDIS = frozenset({"db", "username", "password", "client_name", "ssl_check_hostname"})
OF_REDIS |= {"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
CHECKS_OF_CERTIFICATES = ("none", "optional", "required")
# A host name, in any script and with underscores, as in a container network; or an IPv6 address.
HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?|[0-9a-fA-F:.]+")
UNSIGNED = (
    "must be set with EVENTS_WEBHOOK_URL, so that its receivers can tell our events from anybody's: "
    'echo "whsec_$(openssl rand -base64 32)" makes one.'
)
# A blank, a list instead of one address, or an unfilled placeholder.
NOT_IN_ADDRESSES = re.compile(r"[\s\"`<>]|[,;](?:$|\w+://)|\$[{(]|\{\{")
ENCODE = "has a / ? # @ or % in its password: percent-encode it (/ is %2F, ? %3F, # %23, @ %40, % %25)."
# Options of other PostgreSQL drivers that libpq does not know.
NOT_OF_POSTGRES = {
    "pgbouncer": "leave it away: Funnel works through PgBouncer without it",
    "schema": "say options=-csearch_path%3DNAME instead",
}


def web_address(value: str) -> None:
    """Reject a text that is no web address."""
    if not _is_address(value) or not _is_web(urlsplit(value)):
        raise ValidationError("must be a web address such as https://funnel.example.")


def _is_web(parts: SplitResult) -> bool:
    return parts.scheme in {"http", "https"} and bool(HOST.fullmatch(parts.hostname or ""))


def public_address(value: str) -> None:
    """Reject an address that hooks and links cannot be appended to."""
    web_address(value)
    parts = urlsplit(value)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValidationError("must be the address alone, as https://funnel.example: without a user, ? or #.")


def without_end(value: str | None) -> str:
    """Return an address in one form: scheme and host in lower case, without a trailing slash."""
    parts = urlsplit(value or "")
    return urlunsplit(parts._replace(netloc=parts.netloc.lower())).rstrip("/")


def web_address_or_off(value: str) -> None:
    """Reject a text that is no web address; empty is allowed."""
    if value:
        web_address(value)


def web_addresses(value: str) -> None:
    """Reject a comma-separated list with an entry that is no web address; empty is allowed."""
    for part in parts_of(value):
        web_address(part)


def sentry_address(value: str) -> None:
    """Reject a DSN that Sentry's library would reject when it reports an error; empty is allowed.

    The library itself is not imported for this: it would stay in the memory of every process.
    """
    if value and not _is_dsn(value):
        raise ValidationError("must be the DSN that Sentry shows: https://key@host/number.")


def _is_dsn(value: str) -> bool:
    try:
        parts = urlsplit(value)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_web and bool(parts.username) and parts.path.rpartition("/")[2].isdecimal()


def ledger(value: str) -> None:
    """Reject a database address that Funnel cannot use; the address itself is a secret."""
    if not value.startswith(LEDGERS):
        raise ValidationError(A_LEDGER)
    if value.startswith("sqlite"):
        _file(value.removeprefix("sqlite:///"))
    else:
        _server(value, A_LEDGER)
        _known_parameters(value)


def _file(path: str) -> None:
    # Without a file name it would be an in-memory database of each process.
    if path in {"", ":memory:"} or path.endswith("/") or "?" in path:
        raise ValidationError(A_FILE)


def redis_address(value: str) -> None:
    """Reject a text that is no Redis address."""
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValidationError(A_REDIS)
    _server(value, A_REDIS)
    parts = urlsplit(value)
    if parts.scheme != "unix" and not (parts.hostname and re.fullmatch(r"/?\d*", parts.path)):
        raise ValidationError(A_REDIS)
    for name, given in parse_qsl(parts.query, keep_blank_values=True):
        _option_of_redis(name, given)


def _option_of_redis(name: str, given: str) -> None:
    if name not in OF_REDIS:
        raise ValidationError(f"has ?{name}=…, of which Funnel makes nothing: leave it away.")
    if name == "ssl_cert_reqs" and given not in CHECKS_OF_CERTIFICATES:
        raise ValidationError(f"has an ssl_cert_reqs that is none of {', '.join(CHECKS_OF_CERTIFICATES)}.")
    if name == "db" and not given.isdecimal():
        raise ValidationError(A_REDIS)


def replica_address_or_off(value: str) -> None:
    """Reject an address that Litestream cannot write to; empty is allowed. Credentials are settings of their own."""
    if value and not (_is_address(value) and _is_replica(urlsplit(value))):
        raise ValidationError("must be file:///folder, s3://bucket/path, gs://bucket/path or abs://container/path.")


def _is_replica(parts: SplitResult) -> bool:
    if parts.scheme == "file":
        return not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1
    return parts.scheme in {"s3", "gs", "abs"} and bool(parts.netloc) and "@" not in parts.netloc


def _server(value: str, form: str) -> None:
    if _has_raw_password(value):
        raise ValidationError(ENCODE)
    if not _is_address(value):
        raise ValidationError(form)


def _has_raw_password(value: str) -> bool:
    """Say whether the password contains an unescaped character that ends the part before the host."""
    behind = value.partition("://")[2]
    netloc = re.split(r"[/?#]", behind, maxsplit=1)[0]
    password = netloc.rpartition("@")[0].partition(":")[2]
    cut_off = "@" not in netloc and "@" in behind and ":" in netloc
    return cut_off or "@" in password or bool(re.search(r"%(?![0-9A-Fa-f]{2})", password))


def _is_address(value: str) -> bool:
    try:
        return not NOT_IN_ADDRESSES.search(value) and urlsplit(value).port != 0
    except ValueError:
        return False


def _known_parameters(value: str) -> None:
    # With a SQLite ledger the PostgreSQL driver is never loaded.
    from psycopg.pq import Conninfo  # noqa: PLC0415

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    for name, given in parse_qsl(urlsplit(value).query, keep_blank_values=True):
        if name == "sslmode" and given not in SSL_MODES:
            raise ValidationError(f"has an sslmode that is none of {', '.join(SSL_MODES)}.")
        if name not in known:
            hint = NOT_OF_POSTGRES.get(name, "leave it away")
            raise ValidationError(f"has ?{name}=…, which PostgreSQL does not know: {hint}.")
