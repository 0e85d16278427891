"""Conflicts: a transaction that the database aborted in favour of another is retried from its start."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

Given = ParamSpec("Given")
Result = TypeVar("Result")
# PostgreSQL's serialization_failure, deadlock_detected, and unique_violation: what another transaction inserted first,
# a retry will find. SQLite has one writer, and none of them.
CONFLICTS = frozenset({"40001", "40P01", "23505"})
TRIES = 5
LONGEST_PAUSE_S = 0.1

log = structlog.get_logger()


class LostRace(Exception):
    """Another transaction inserted the row first: a retry will find it."""


def conflict(error: Exception) -> str | None:
    """Return the name of the conflict that ended a transaction; None for any other error."""
    if isinstance(error, LostRace):
        return "lost race"
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state if state in CONFLICTS else None


def retry_on_conflict(flow: Callable[Given, Result]) -> Callable[Given, Result]:
    """Decorate a flow of one transaction to be retried, up to five times, after a conflict.

    Only for a flow that does nothing before its transaction that must not happen twice.
    """

    @wraps(flow)
    def again(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for _ in range(TRIES - 1):
            try:
                return flow(*args, **kwargs)
            except (DBAPIError, LostRace) as error:
                if conflict(error) is None:
                    raise
                log.info("transaction_retried", flow=flow.__name__, conflict=conflict(error))
            # Random, so that the colliding transactions do not collide again.
            time.sleep(random.uniform(0, LONGEST_PAUSE_S))  # noqa: S311 (spreads load, guards nothing)
        return flow(*args, **kwargs)

    return again
