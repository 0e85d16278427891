"""Sentry: report unexpected errors if SENTRY_DSN is set, without addresses, secrets, payloads or variables."""

from collections.abc import Callable
from typing import Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

from funnel_app.config import Settings
from funnel_app.redact import redact_all, redactor

OF_THE_CALLER = frozenset({"request", "user"})


def report_errors(settings: Settings, **options: Any) -> Callable[[BaseException], object]:
    """Report this process's unexpected errors to SENTRY_DSN; return a function that reports caught ones."""
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment="testing" if settings.testing_mode else "live",
        include_local_variables=False,
        max_request_body_size="never",
        before_send=_without_secrets(redactor(settings)),
        **options,
    )
    return sentry_sdk.capture_exception


def _without_secrets(redact: Callable[[str], str]) -> Callable[[Event, Hint], Event]:
    def before_send(event: Event, hint: Hint) -> Event:
        kept = {name: value for name, value in event.items() if name not in OF_THE_CALLER}
        cleaned: Event = redact_all(kept, redact)
        return cleaned

    return before_send
