"""Sentry: report unexpected errors if SENTRY_DSN is set, without addresses, secrets, payloads or variables.

The same error is reported once in ten minutes by each process, whoever found it: we, Flask or RQ.
"""

import time
from collections.abc import Callable, Hashable
from pathlib import Path
from traceback import walk_tb
from typing import Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

from funnel_app.config import Settings
from funnel_app.faults import AGAIN_AFTER_S
from funnel_app.redact import redact_all, redactor

OF_THE_CALLER = frozenset({"request", "user"})
OURS = tuple(f"{Path(__file__).parents[1] / room}/" for room in ("funnel_app", "jobs"))


def report_errors(settings: Settings, **options: Any) -> Callable[[BaseException], object]:
    """Report this process's unexpected errors to SENTRY_DSN; return a function that reports caught ones."""
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment="testing" if settings.testing_mode else "live",
        include_local_variables=False,
        max_request_body_size="never",
        before_send=_once_and_without_secrets(redactor(settings)),
        **options,
    )
    return sentry_sdk.capture_exception


def _once_and_without_secrets(redact: Callable[[str], str]) -> Callable[[Event, Hint], Event | None]:
    sent_at: dict[Hashable, float] = {}

    def before_send(event: Event, hint: Hint) -> Event | None:
        if (fault := (hint.get("exc_info") or (None, None))[1]) is not None:
            place, now = _place(fault), time.monotonic()
            if now - sent_at.get(place, float("-inf")) < AGAIN_AFTER_S:
                return None
            sent_at[place] = now
        kept = {name: value for name, value in event.items() if name not in OF_THE_CALLER}
        cleaned: Event = redact_all(kept, redact)
        return cleaned

    return before_send


def _place(fault: BaseException) -> Hashable:
    """Return what kind of error it is, which line raised it, and which line of ours led there."""
    lines = [(frame.f_code.co_filename, number) for frame, number in walk_tb(fault.__traceback__)]
    ours = [line for line in lines if line[0].startswith(OURS)]
    return type(fault), *lines[-1:], *ours[-1:]
