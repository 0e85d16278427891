"""Ids of new rows."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Return a time-ordered UUID (version 7, RFC 9562 §5.7), so that new rows land on the same index pages."""
    return uuid_utils.compat.uuid7()
