"""Unexpected errors: reported to Sentry if SENTRY_DSN is set, else nowhere."""

import time
from collections.abc import Callable
from pkgutil import resolve_name
from traceback import extract_tb

from funnel_app.config import Settings

# Imported by name, so that Sentry's client is loaded only where it is used.
SENTRY = "funnel_app.sentry:report_errors"
# What fails at each turn would use up a plan of Sentry's within a day.
AGAIN_AFTER_S = 600.0
_reporters: list[Callable[[BaseException], object]] = []
_reported_at: dict[tuple[type[BaseException], str, int | None], float] = {}


def report_faults(settings: Settings) -> None:
    """Report this process's unexpected errors to Sentry from now on, if the settings name a DSN."""
    if settings.sentry_dsn is not None:
        _reporters.append(resolve_name(SENTRY)(settings))


def report(fault: BaseException) -> None:
    """Report an error that was caught at an edge; the same from the same line at most once in ten minutes."""
    if _reporters and _is_due(fault):
        for reporter in _reporters:
            reporter(fault)


def _is_due(fault: BaseException) -> bool:
    raised = extract_tb(fault.__traceback__)
    place = (type(fault), raised[-1].filename if raised else "", raised[-1].lineno if raised else None)
    now = time.monotonic()
    if now - _reported_at.get(place, float("-inf")) < AGAIN_AFTER_S:
        return False
    _reported_at[place] = now
    return True
