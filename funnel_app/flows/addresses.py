"""Addresses: the one form under which a person is known, however their address is written."""

from email_validator import EmailNotValidError, validate_email


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


def mailable(address: str) -> str:
    """Return an address as mail servers take it: as it was given, the domain in ASCII; anything else as it is."""
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return f"{checked.local_part}@{checked.ascii_domain}"
