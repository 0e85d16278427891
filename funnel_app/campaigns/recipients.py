"""Recipients allowed in testing mode; pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def is_test_recipient(address: str, allowed: Sequence[str]) -> bool:
    """Say whether a test enrolment may mail this address; `*@domain` allows a whole domain."""
    return any(fnmatchcase(address, pattern.lower()) for pattern in allowed)
