"""Reasons why an email did not arrive, in the owner's words, and their kinds."""

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from funnel_app.campaigns.spoken import clause
from funnel_app.campaigns.states import State


class ReasonCode(StrEnum):
    """Reasons that code decides by; stored beside the text, which is only for people."""

    SENT_BY_WEBSITE = "sent_by_website"
    SENT_BEFORE_CUT_OVER = "sent_before_cut_over"
    STEP_TAKEN_OUT = "step_taken_out"
    STEP_CAME_LATE = "step_came_late"
    NO_TEST_RECIPIENT = "no_test_recipient"
    RESEND_REFUSES_ALL = "resend_refuses_all"


class Reason(NamedTuple):
    """Why an email does not go: the text, and a code if the code decides by it."""

    words: str
    code: ReasonCode | None = None


MAILBOX_UNKNOWN = "mailbox does not exist"
_BY_SUBTYPE = {
    "NoEmail": MAILBOX_UNKNOWN,
    "MailboxFull": "mailbox is full",
    "MessageTooLarge": "the email is too large for this mailbox",
    "ContentRejected": "the recipient's server refused the content",
    "AttachmentRejected": "the recipient's server refused an attachment",
    "Suppressed": "on Resend's suppression list",
    "OnAccountSuppressionList": "on Resend's suppression list",
}
_BY_CODE = (
    (re.compile(r"\b5\.1\.(1|2|3|6|10)\b|user unknown|no such (user|mailbox|address)|does ?n.t exist", re.IGNORECASE),
     MAILBOX_UNKNOWN),
    (re.compile(r"\b[45]\.2\.2\b|mailbox (is )?full|over quota", re.IGNORECASE), "mailbox is full"),
    (re.compile(r"\b5\.7\.\d+\b|spam|blocked|policy", re.IGNORECASE), "the recipient's server refused it by its rules"),
)  # fmt: skip
_SUPPRESSED = {
    "previous_bounce": "an earlier email to this address bounced, so Resend does not mail it",
    "previous_complaint": "its reader marked an earlier email as spam, so Resend does not mail it",
}
_FAILED = {
    "reached_daily_quota": "the daily quota of the Resend account was used up",
    "reached_monthly_quota": "the monthly quota of the Resend account was used up",
}
# https://resend.com/docs/api-reference/errors
MONTHLY = "monthly_quota_exceeded"
_SAID = "; in their words: "
_DEFAULTS = {
    State.BOUNCED: "the recipient's server refused it",
    State.COMPLAINED: "its reader marked it as spam",
    State.SUPPRESSED: "on Resend's suppression list",
    State.FAILED: "Resend could not send it",
    State.DELAYED: "the recipient's server does not take it yet; Resend tries again",
}
_STATUS_AND_NAME = re.compile(r"^\d{3} \w+: ")
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60))
_DATE = re.compile(r" on \d{1,2} [A-Z][a-z]+")


def of_bounce(subtype: str, words: str) -> str:
    """Return why a mailbox did not take an email, from the kind of bounce and the server's words."""
    if subtype in _BY_SUBTYPE:
        return _BY_SUBTYPE[subtype]
    known = next((told for pattern, told in _BY_CODE if pattern.search(words)), None)
    return known or "the recipient's server refused it"


def of_suppression(reason: str) -> str:
    """Return why the provider did not try at all."""
    return _SUPPRESSED.get(reason, "on Resend's suppression list")


def of_failure(reason: str) -> str:
    """Return why the provider could not send an email it had accepted."""
    return f"Resend could not send it: {_FAILED.get(reason, reason)}" if reason else "Resend could not send it"


def with_words(reason: str, words: str) -> str:
    """Return a reason with the server's or provider's own words, for details."""
    return f"{reason}{_SAID}{words}" if words and words != reason else reason


def without_words(detail: str | None) -> str | None:
    """Return a reason without quoted words."""
    return detail.partition(_SAID)[0] if detail else None


def why(state: State, detail: str | None) -> str | None:
    """Return the reason of a reported state without quoted words."""
    return without_words(detail) or _DEFAULTS.get(state)


def of_refusal(words: str) -> str:
    """Return why the provider refused an email, without technical codes."""
    return f"Resend refused it: {_STATUS_AND_NAME.sub('', words)}"


def of_wait(answer: str, words: str, name: str = "") -> str:
    """Return why an email in flight has not been accepted yet, by the kind of its last answer.

    `name` is the provider's own name for it.
    """
    if answer == "quota":
        return f"the {'monthly' if name == MONTHLY else 'daily'} quota of the Resend account is used up"
    told = _WAITS.get(answer, "Resend does not take it yet")
    # If nothing went out, the words name the proxy, certificate or host at fault.
    return f"{told}: {_STATUS_AND_NAME.sub('', words).rstrip('.')}" if answer in {"paused", "unreachable"} else told


_WAITS = {
    "rate_limited": "the Resend team makes more calls than it may",
    "paused": "Resend refuses the key, the account or the sender",
    "concurrent": "Resend is still working on the first try",
    "unknown": "Resend's answer did not come",
    "unreachable": "Resend cannot be reached",
}


def of_template(key: str, fault: str) -> str:
    """Return as a clause why a template makes no letter: “template x in Notion has no subject line”."""
    words = fault.rstrip(".")
    if words.startswith("The template "):
        return f"template {key} in Notion {words.removeprefix('The template ')}"
    return f"template {key} in Notion: {clause(words)}"


def spoken(span: timedelta) -> str:
    """Return a span in words, in its largest whole unit: 2 hours, 1 day, 45 minutes."""
    seconds = int(span.total_seconds())
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size and seconds % size == 0), ("second", 1))
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def on_day(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of a time in a zone, in words: on 3 December."""
    return on_date(at.astimezone(zone).date())


def on_date(day: date) -> str:
    """Return a date in words: on 3 December."""
    return f"on {day.day} {day:%B}"


def general(state: State, reason: str | None) -> str:
    """Return the kind of a reason, without dates, names and quotes, to group by."""
    return f"{state}: {_DATE.sub('', reason).partition(': ')[0]}" if reason else str(state)
