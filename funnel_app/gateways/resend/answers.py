"""Answers: turn what Resend's SDK returns or raises into one Answer, which decides what follows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from resend.exceptions import ResendError

from funnel_app.gateways.connecting import TooLarge, cannot_be_written, why_not_sent
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.response_headers import rate_limit, retry_after, seconds_to_next_day, seconds_to_next_month


class AnswerKind(StrEnum):
    """The outcome of one call to Resend."""

    ACCEPTED = "accepted"
    INVALID = "invalid"  # this request will never be taken
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    PAUSED = "paused"  # the account, key or sender is at fault, not the request
    CONCURRENT = "concurrent"  # the same key is still being worked on
    CONFLICT = "conflict"  # the key is known with another payload
    UNKNOWN = "unknown"  # it may have gone out
    UNREACHABLE = "unreachable"  # certain that nothing went out


@dataclass(frozen=True, slots=True)
class Answer:
    """Resend's response to a request: ids in input order (None if refused), message, and when to retry.

    `name` is Resend's name for the error.
    """

    kind: AnswerKind
    ids: tuple[str | None, ...] = ()
    detail: str = ""
    retry_after: float | None = None
    rate: float | None = None
    refused: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    name: str = ""


FOR_US = frozenset({AnswerKind.INVALID, AnswerKind.PAUSED, AnswerKind.CONFLICT})
NETWORK_ERROR = "HttpClientError"
TOO_LARGE = "too_large"
UNREADABLE_BODY = "application_error"
UNWRITABLE_KEY = "RESEND_API_KEY holds a line break or another character that no key has: copy it again"
QUOTA_RESETS = {"daily_quota_exceeded": seconds_to_next_day, "monthly_quota_exceeded": seconds_to_next_month}
STILL_RUNNING = frozenset({"concurrent_idempotent_requests", "resource_locked"})
ACCOUNT_STATUSES = frozenset({401, 403, 451})
# Versions of the API use 400, 401, 403 or 422 for the same account fault; the texts do not vary.
ACCOUNT_WORDS = re.compile(
    r"api key|domain\b.{0,80}\bnot verified|verify (your|a|the) domain"
    # Both addresses are settings, and equal in every email.
    r"|\binvalid [`'\"]?(from|reply_?to)\b",
    re.IGNORECASE | re.DOTALL,
)


def accepted_one(body: object, headers: Mapping[str, str]) -> Answer:
    """Return the answer for a single email: accepted with its id, unknown without one."""
    resend_id = body.get("id") if isinstance(body, Mapping) else None
    if not isinstance(resend_id, str):
        return _unreadable(body)
    return Answer(AnswerKind.ACCEPTED, ids=(resend_id,), rate=rate_limit(headers))


def accepted_batch(body: object, headers: Mapping[str, str], size: int) -> Answer:
    """Return the answer for a permissive batch: Resend lists the ids of good emails and the indexes of others."""
    refused, ids = _refused_lines(body), _batch_ids(body)
    if refused is None or ids is None or len(ids) + len(refused) != size or not set(refused) <= set(range(size)):
        return _unreadable(body)
    if not ids and all(ACCOUNT_WORDS.search(words) for words in refused.values()):
        return Answer(AnswerKind.PAUSED, detail=next(iter(refused.values())), rate=rate_limit(headers))
    waiting = iter(ids)
    placed = tuple(None if index in refused else next(waiting) for index in range(size))
    return Answer(AnswerKind.ACCEPTED, ids=placed, rate=rate_limit(headers), refused=MappingProxyType(refused))


def refused_call(error: ResendError, now: datetime) -> Answer:
    """Return the answer for an SDK error, by status and name: its classes mix quotas, rates and 409s."""
    return Answer(
        answer_kind(error),
        detail=_words(error),
        retry_after=_wait(error, now),
        rate=rate_limit(error.headers),
        name=str(error.error_type),
    )


def failure(error: ResendError, now: datetime) -> Unavailable | Rejected:
    """Return Unavailable or Rejected for a failed read."""
    if error.error_type == NETWORK_ERROR:
        if cannot_be_written(error.__context__):
            return Rejected("resend", UNWRITABLE_KEY, code="invalid_api_key")
        if isinstance(error.__context__, TooLarge):
            return Rejected("resend", "its answer is larger than 8 MB", code=TOO_LARGE)
        unsent = why_not_sent(error.__context__)
        return Unavailable("resend", f"no connection: {unsent}" if unsent else "the answer did not come in time")
    if answer_kind(error) in FOR_US:
        return Rejected("resend", str(error.message), code=str(error.error_type))
    return Unavailable("resend", str(error.message), retry_after(error.headers, now))


def answer_kind(error: ResendError) -> AnswerKind:
    """Return what an SDK error means for the request."""
    if error.error_type == NETWORK_ERROR:
        return _kind_of_lost_call(error.__context__)
    return _kind_of(_status(error), str(error.error_type), str(error.message))


def _kind_of_lost_call(error: BaseException | None) -> AnswerKind:
    if cannot_be_written(error):
        return AnswerKind.PAUSED
    return AnswerKind.UNREACHABLE if why_not_sent(error) else AnswerKind.UNKNOWN


def _kind_of(status: int, name: str, words: str) -> AnswerKind:
    if status == 429:
        return AnswerKind.QUOTA if name in QUOTA_RESETS else AnswerKind.RATE_LIMITED
    if status == 409:
        return AnswerKind.CONCURRENT if name in STILL_RUNNING else AnswerKind.CONFLICT
    if status in ACCOUNT_STATUSES:
        return AnswerKind.PAUSED
    # A response without Resend's JSON comes from an intermediary, and proves nothing about the request.
    if not 400 <= status < 500 or status == 408 or name == UNREADABLE_BODY:
        return AnswerKind.UNKNOWN
    if name == "invalid_from_address" or ACCOUNT_WORDS.search(words):
        return AnswerKind.PAUSED
    return AnswerKind.INVALID


def _status(error: ResendError) -> int:
    try:
        return int(error.code)
    except (TypeError, ValueError):
        return 0


def _wait(error: ResendError, now: datetime) -> float | None:
    reset = QUOTA_RESETS.get(str(error.error_type))
    return reset(now) if reset else retry_after(error.headers, now)


def _words(error: ResendError) -> str:
    """Return the error's text; for a lost call none of a library's own, which may contain the key."""
    if error.error_type != NETWORK_ERROR:
        return f"{error.code} {error.error_type}: {error.message}"
    if cannot_be_written(error.__context__):
        return UNWRITABLE_KEY
    return why_not_sent(error.__context__) or f"the answer was lost ({type(error.__context__).__name__})"


def _unreadable(body: object) -> Answer:
    return Answer(AnswerKind.UNKNOWN, detail=f"Resend's answer has another form than expected: {str(body)[:200]}")


def _batch_ids(body: object) -> list[str] | None:
    lines = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(lines, list):
        return None
    ids = [line["id"] for line in lines if isinstance(line, Mapping) and isinstance(line.get("id"), str)]
    return ids if len(ids) == len(lines) else None


def _refused_lines(body: object) -> dict[int, str] | None:
    errors = (body.get("errors") or []) if isinstance(body, Mapping) else []
    try:
        return {int(error["index"]): str(error.get("message", "")) for error in errors}
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
