"""Addresses: the one form under which a person is known, however their address is written."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from email_validator import EmailNotValidError, validate_email

# Whatever may be an address in a text that nobody could read as JSON; what it is, the validator says.
LIKE_ADDRESS = re.compile(r"""[^\s<>"'\\,;:()\[\]{}&=|]+@[^\s<>"'\\,;:()\[\]{}&=|/?#]+""")


class NotAnAddress(ValueError):
    """What should be an email address is none; the message says why."""


def normalised(address: str) -> str:
    """Return the form that tells people apart: lower case, the domain in ASCII. Raises EmailNotValidError."""
    checked = validate_email(address.strip(), check_deliverability=False)
    return f"{checked.local_part}@{checked.ascii_domain}".lower()


def looked_up(address: str) -> str:
    """Return the form to look for in the ledger; what is not an address is found by nobody."""
    try:
        return normalised(address)
    except EmailNotValidError:
        return address.strip().lower()


def required(address: str) -> str:
    """Return the form to look for in the ledger; NotAnAddress for a slip of the pen, which would protect nobody."""
    try:
        return normalised(address)
    except EmailNotValidError as fault:
        raise NotAnAddress(f"{address} is not an email address: {fault}") from None


def names(payload: Any, email_norm: str) -> bool:
    """Say whether a call that could not be used names this person somewhere, however the address is written."""
    return any(looked_up(found) == email_norm for text in _texts(payload) for found in _addresses(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _addresses(text: str) -> Iterator[str]:
    # The second reading is that of a form, whose bodies nobody takes.
    for reading in {text, unquote_plus(text)}:
        yield from (found.strip(".") for found in LIKE_ADDRESS.findall(reading))


def mailable(address: str) -> str:
    """Return an address as mail servers take it: as it was given, the domain in ASCII; anything else as it is."""
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return f"{checked.local_part}@{checked.ascii_domain}"
