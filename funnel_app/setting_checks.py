"""Checks of settings: each raises ValidationError saying what a value must be."""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email
from marshmallow import ValidationError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Characters of a name without quotes: atoms of RFC 5322, section 3.2.3, with single spaces.
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
NOT_SET = "is not set, or empty."
PLAINER = {
    "Not a valid boolean.": "must be true or false.",
    "Not a valid integer.": "must be a whole number, such as 2.",
    "Not a valid number.": "must be a number, such as 0.8.",
    "Environment variable not set.": NOT_SET,
}
ROLES = ("all", "web", "worker", "scheduler", "migrate")


def plainer(words: str) -> str:
    """Return marshmallow's message in words for people who fill in a form."""
    return PLAINER.get(words, words)


def parts_of(value: str | None) -> tuple[str, ...]:
    """Return the parts of a comma-separated list, stripped."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def names_of(value: str | None) -> dict[str, str]:
    """Return the pairs of a comma-separated list of `key=name`."""
    pairs = (part.partition("=") for part in parts_of(value))
    return {key.strip(): name.strip() for key, _, name in pairs}


def named(value: str) -> None:
    """Reject names of properties that are in none of Notion's databases."""
    for key, name in names_of(value).items():
        if not re.fullmatch(r"(templates|contacts|sequences)\.\w+", key) or not name:
            raise ValidationError(f"must read contacts.name=Client, sequences.email=E-mail …, and not {key}={name}.")


def notion_id(value: str) -> None:
    """Reject a text that is no Notion id, such as the URL of a page."""
    if not re.fullmatch(r"[0-9a-fA-F]{32}", value.replace("-", "")):
        raise ValidationError("must be the 32 letters and digits behind the last / of the database's address.")


def notion_id_or_off(value: str) -> None:
    """Reject a text that is no Notion id; empty is allowed."""
    if value:
        notion_id(value)


def recipients(value: str) -> None:
    """Reject a list with an entry that is neither an address nor `*@domain`."""
    if not all(re.fullmatch(r"[^@\s\"'`<>()\[\],;:\\]+@[\w-]+(?:\.[\w-]+)+", part) for part in parts_of(value)):
        raise ValidationError("must be addresses with commas between them; *@domain allows a domain.")


def folder_or_off(value: str) -> None:
    """Reject a relative path, whose place would depend on where a process starts; empty is allowed."""
    if value and not value.startswith("/"):
        raise ValidationError("must be a folder from the root, such as /data/backups; leave it empty for none.")


def not_blank(value: str) -> None:
    """Reject blanks."""
    if not value.strip():
        raise ValidationError("must not be empty.")


def mailbox_of(value: str | None) -> str:
    """Return one address, its name quoted if it needs it (RFC 5322, section 3.4).

    Raises ValidationError if it is not exactly one address.
    """
    name, address = _name_and_address(value or "")
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValidationError(f"must be one address such as Name <name@domain>: {error}") from None
    if not found.ascii_email:
        raise ValidationError("must be one address such as Name <name@domain>, with plain letters before the @.")
    return f"{_quoted(name)} <{found.ascii_email}>" if name else found.ascii_email


def _name_and_address(value: str) -> tuple[str, str]:
    found = re.fullmatch(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>", value.strip())
    if not found:
        return "", value.strip()
    name = found["name"].strip()
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', name)
    if '"' in (re.sub(r"\\.", "", quoted[1]) if quoted else name) or not name.isprintable():
        raise ValidationError('has half a name: quote all of it, as "Name, Inc." <name@domain>.')
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else name, found["address"].strip()


def _quoted(name: str) -> str:
    if _PLAIN_WORDS.fullmatch(name):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def mailbox(value: str) -> None:
    """Reject a text that is not exactly one address, with or without a name."""
    mailbox_of(value)


def mailbox_or_off(value: str) -> None:
    """Reject a text that is not exactly one address; empty is allowed."""
    if value.strip():
        mailbox_of(value)


def mailbox_or_none(value: str | None) -> str | None:
    """Return an address in its header form; None if it is empty or its check has already failed."""
    try:
        return mailbox_of(value) if value and value.strip() else None
    except ValidationError:
        return None


def time_zone(value: str) -> None:
    """Reject an unknown time zone."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a region alone, such as America, is a folder
        raise ValidationError("must be a time zone such as America/Toronto.") from None


def between(least: float, most: float) -> Callable[[float], None]:
    """Return a check that rejects values out of range, and texts that are no number."""

    def check(value: float) -> None:
        if not least <= value <= most:
            raise ValidationError(f"must be {least} or more. {most:,} is the most.")

    return check


def log_level(value: str) -> None:
    """Reject an unknown log level."""
    if value.upper() not in LOG_LEVELS:
        raise ValidationError(f"must be one of {', '.join(LOG_LEVELS)}.")


def role(value: str) -> None:
    """Reject an unknown role of a container."""
    if value not in ROLES:
        raise ValidationError(f"must be one of {', '.join(ROLES)}.")


def share(value: float) -> None:
    """Reject a number that is no share."""
    if not 0 < value <= 1:
        raise ValidationError("must be over 0 and at most 1.")
