"""Address: the one form in which an address is known, however somebody types it."""

from email_validator import EmailNotValidError, validate_email


def normalised(address: str) -> str:
    """Return the form in which the ledger knows an address; what is no address comes back trimmed."""
    try:
        checked = validate_email(address.strip(), check_deliverability=False)
    except EmailNotValidError:
        return address.strip().lower()
    return f"{checked.local_part}@{checked.ascii_domain}".lower()
