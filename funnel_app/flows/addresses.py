"""Addresses: the one normalised form that identifies a person, however their address is written."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from email_validator import EmailNotValidError, validate_email

from funnel_app.bodies import bytes_of

# RFC 5321, 4.5.3.1: 64 characters, an @, and a domain of 255. Anything longer is not parsed.
LONGEST = 320
# Delimiters of an address in unparsable text, and after one in a URL.
BESIDE = re.compile(r"""[\s<>"'\\,;:()\[\]{}&=|]+""")
AFTER = re.compile("[/?#]")


# Placeholders of calendars for people with a telephone number only, and for rooms: https://github.com/calcom/cal.com
# makes `<number>@sms.cal.com`, and self-hosted ones `<number>@sms.` and their domain.
STAND_INS = frozenset({"sms.cal.com", "resource.calendar.google.com", "group.calendar.google.com"})
NO_MAIL_HERE = frozenset({"no-email", "noemail", "no-mail", "placeholder"})
ERASED = "erased"
# A part before the @ of which there is nothing to judge, and no longer than it may be: then each domain is judged once.
PLAIN = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*")
PLAIN_DOMAIN = re.compile("[A-Za-z0-9.-]+")
LONGEST_PLAIN = 200


class NotAnAddress(ValueError):
    """Not an email address; the message says why."""


class Parts(NamedTuple):
    """An address taken apart: as it is written to, its two parts, and the domain in ASCII."""

    normalized: str
    local_part: str
    ascii_domain: str


@lru_cache(maxsize=64)
def checked(address: str) -> Parts:
    """Return an address parsed. Raises EmailNotValidError with the reason.

    The latest are cached: a call needs its address more than once.
    """
    local, _, domain = address.partition("@")
    if len(address) <= LONGEST_PLAIN and PLAIN.fullmatch(local) and PLAIN_DOMAIN.fullmatch(domain):
        of_domain = _judged(f"a@{domain}")
        return Parts(f"{local}{of_domain.normalized[1:]}", local, of_domain.ascii_domain)
    return _judged(address)


@lru_cache(maxsize=512)
def _judged(address: str) -> Parts:
    found = validate_email(address, check_deliverability=False)
    return Parts(found.normalized, found.local_part, found.ascii_domain)


def normalised(address: str) -> str:
    """Return the form that identifies a person: lower case, domain in ASCII. Raises EmailNotValidError."""
    if len(address) > LONGEST:
        raise EmailNotValidError(f"The email address is longer than {LONGEST} characters.")
    parts = checked(address.strip())
    return f"{parts.local_part}@{parts.ascii_domain}".lower()


def written(address: str) -> str:
    """Return an address as mail to it is written, in its own script. Raises NotAnAddress."""
    with _named(address):
        return checked(address.strip()).normalized


def looked_up(address: str) -> str:
    """Return the form to search the ledger for; invalid addresses are searched as they are, and not found."""
    try:
        return normalised(address)
    except EmailNotValidError:
        return address.strip().lower()


def required(address: str) -> str:
    """Return the form to search the ledger for; NotAnAddress for a typo, which must not pass silently."""
    with _named(address):
        return normalised(address)


@contextmanager
def _named(address: str) -> Iterator[None]:
    """Return a fault with the address it is about."""
    try:
        yield
    except EmailNotValidError as fault:
        raise NotAnAddress(f"{address} is not an email address: {fault}") from None


def unmailable(address: str) -> str | None:
    """Return as a clause why an address cannot be mailed; None if it can."""
    local, _, domain = address.lower().rpartition("@")
    if not local.isascii():
        return "Resend delivers only to addresses with plain letters (ASCII) before the @"
    first, _, rest = domain.partition(".")
    made_up = domain in STAND_INS or domain.endswith(".invalid") or first in NO_MAIL_HERE
    if made_up or (first == "sms" and rest and local.lstrip("+").isdigit()):
        return "this address was made up for somebody who gave none"
    return None


def names(payload: Any, email_norm: str) -> bool:
    """Say whether a refused call names this person anywhere, however the address is written."""
    local, _, _ = email_norm.rpartition("@")
    found = (address for text in _texts(payload) for address in _addresses(text))
    # A quick check excludes most; the exact one is slow.
    return any(looked_up(address) == email_norm for address in found if _local_part(address) == local)


def without(said: Any, email_norm: str) -> Any:
    """Return another person's call without this person.

    An object about them, such as a guest's, is blanked whole, and so is each text that names them.
    """
    if isinstance(said, dict):
        if isinstance(said.get("email"), str) and names(said["email"], email_norm):
            return {"email": ERASED}
        return {without(name, email_norm): without(value, email_norm) for name, value in said.items()}
    if isinstance(said, list):
        return [without(value, email_norm) for value in said]
    return ERASED if isinstance(said, str) and names(said, email_norm) else said


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and (raw := bytes_of(value)) is not None:
        value = raw.decode("latin-1")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _addresses(text: str) -> Iterator[str]:
    # Also decoded as a form's body.
    for reading in {text, unquote_plus(text)}:
        for word in BESIDE.split(reading):
            for before, after in pairwise(word.split("@")):
                domain = AFTER.split(after, 1)[0].strip(".")
                # Text before it may be the rest of a URL or part of the local part.
                yield from (f"{local.strip('.')}@{domain}" for local in {before, AFTER.split(before)[-1]})


def _local_part(address: str) -> str:
    return unicodedata.normalize("NFC", address.partition("@")[0]).lower()


def mailable(address: str) -> str:
    """Return an address for mail servers: local part unchanged, domain in ASCII; anything else as it is."""
    if address.isascii():
        return address
    try:
        parts = checked(address)
    except EmailNotValidError:
        return address
    return f"{parts.local_part}@{parts.ascii_domain}"
