"""Ids of new rows."""

from collections.abc import Callable
from uuid import UUID

from uuid_utils.compat import uuid7

# Returns a time-ordered UUID (version 7, RFC 9562 §5.7), so that new rows land on the same index pages. Without a
# function around it: a signup has a dozen.
new_id: Callable[[], UUID] = uuid7
