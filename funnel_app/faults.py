"""Faults that nobody foresaw: whoever was set up to hear of them does; nobody, where no SENTRY_DSN is set."""

from collections.abc import Callable
from pkgutil import resolve_name

from funnel_app.config import Settings

# By its name: Sentry's client is in memory only where somebody uses it.
SENTRY = "funnel_app.sentry:report_errors"
_reporters: list[Callable[[BaseException], object]] = []


def report_faults(settings: Settings) -> None:
    """Let the faults of this process reach Sentry from now on, where the settings name one."""
    if settings.sentry_dsn is not None:
        _reporters.append(resolve_name(SENTRY)(settings))


def report(fault: BaseException) -> None:
    """Tell of a fault that was caught at a process's edge."""
    for reporter in _reporters:
        reporter(fault)
