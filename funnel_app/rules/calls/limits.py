"""Limits on starts by forms, against robots: for one address a day, and from one IP address an hour."""

from datetime import timedelta

from funnel_app.rules.calls.case import Case

PER_ADDRESS = 10, timedelta(days=1)
PER_IP = 30, timedelta(hours=1)


class TooManyEnrolments(Exception):
    """More sequences were started for one address, or from one IP address, than people start."""

    def __init__(self, what: str, retry_after: timedelta) -> None:
        super().__init__(
            f"Too many sequences were started {what}. Nothing was begun; what came in is kept for a replay."
        )
        self.retry_after = retry_after


def check_limits(case: Case) -> None:
    """Raise TooManyEnrolments if robots may be at work; calendars and an operator's lists are exempt."""
    if case.call.may_be_many:
        return
    most, span = PER_ADDRESS
    if max(case.for_mailbox, case.contact.enrolled_since(case.now - span)) >= most:
        raise TooManyEnrolments("for this address today", span)
    most, span = PER_IP
    if case.from_caller >= most:
        raise TooManyEnrolments("from the IP address that the consent names", span)
