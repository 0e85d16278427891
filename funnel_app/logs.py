"""Logs: one JSON line on stderr per thing that happened, with no secret and no full address in it."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from funnel_app.redact import masked_addresses, redact_all

QUIET = ("httpx", "httpcore", "rq.worker", "rq.scheduler", "alembic.runtime.migration", "alembic.runtime.plugins")
# gunicorn gives these loggers handlers of their own, whose lines would not be JSON.
BY_GUNICORN = ("gunicorn.error", "gunicorn.access")

# Former names of events: `was` carries them for one release, for searches and alerts on logs.
FORMER_NAMES = {
    "check_failed": "look_broke",
    "check_skipped": "look_impossible",
    "clock_recovered": "clock_right_again",
    "database_unavailable": "ledger_away",
    "duplicate_job_ignored": "job_done_twice",
    "lock_not_released": "lock_not_given_back",
    "notification_failed": "notice_not_told",
    "periodic_task_crashed": "round_broke",
    "periodic_task_failed": "round_failed",
    "periodic_task_skipped": "round_without_ledger",
    "process_exited": "part_died",
    "process_failed": "part_does_not_stay_up",
    "process_started": "part_runs",
    "redis_unavailable": "redis_away",
    "scheduling_failed": "arming_failed",
    "sweep_finished": "swept",
    "template_fixed": "template_mended",
    "transaction_retried": "transaction_begun_again",
    "webhook_accepted": "hook_taken",
}


_unlogged = ContextVar("_unlogged", default=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """Suppress logs in this context: what happens in a simulation must not look real."""
    token = _unlogged.set(True)
    try:
        yield
    finally:
        _unlogged.reset(token)


class Steady:
    """A stream that swallows its own failures: a full disk or a closed pipe must never fail a hook."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, ignoring failures."""
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush, ignoring failures."""
        with suppress(OSError):
            self._stream.flush()


def configure_logging(level: str, redact: Callable[[str], str] = masked_addresses) -> None:
    """Send this process's logs to stderr as redacted JSON lines, at this level and above."""
    shared: list[Processor] = [
        _unless_unlogged,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _with_former_name,
    ]
    line = _line(redact)
    _configure_others(level.upper(), shared, line)
    structlog.configure(
        processors=[*shared, line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, Steady(sys.stderr))),
    )


def _configure_others(level: str, shared: list[Processor], line: Processor) -> None:
    """Format other packages' logs like ours."""
    handler = logging.StreamHandler(cast(TextIO, Steady(sys.stderr)))
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, line]
    pre = [structlog.stdlib.add_logger_name, *shared]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=pre, processors=last))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name in BY_GUNICORN:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def _unless_unlogged(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if _unlogged.get():
        raise structlog.DropEvent
    return event


def _with_former_name(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    was = FORMER_NAMES.get(str(event.get("event")))
    return {**event, "was": was} if was else event


def _line(redact: Callable[[str], str]) -> Processor:
    """Return what makes an event a line of JSON without secrets and full addresses.

    Usually there are none, and one look at the whole line is cheaper than one at each text. In a line without a
    backslash every text stands as it is: JSON escapes by nothing else.
    """
    # What is no data is shown as Python shows it, and may quote an address as well.
    render = json.JSONEncoder(default=lambda value: redact(repr(value))).encode

    def processor(logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = render(event)
        return line if "\\" not in line and redact(line) == line else render(redact_all(event, redact))

    return processor
