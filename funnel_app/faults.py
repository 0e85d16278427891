"""Unexpected errors: reported to Sentry if SENTRY_DSN is set, else nowhere."""

from collections.abc import Callable
from pkgutil import resolve_name

from funnel_app.config import Settings

# Imported by name, so that Sentry's client is loaded only where it is used.
SENTRY = "funnel_app.sentry:report_errors"
# What fails at each turn would use up a plan of Sentry's within a day.
AGAIN_AFTER_S = 600.0
_reporters: list[Callable[[BaseException], object]] = []


def report_faults(settings: Settings) -> None:
    """Report this process's unexpected errors to Sentry from now on, if the settings name a DSN."""
    if settings.sentry_dsn is not None:
        _reporters.append(resolve_name(SENTRY)(settings))


def report(fault: BaseException) -> None:
    """Report an error that was caught at an edge; the same one again after ten minutes."""
    for reporter in _reporters:
        reporter(fault)
