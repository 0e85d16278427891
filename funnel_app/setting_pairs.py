"""Checks of settings that must fit each other: each returns what is wrong, by the name of the setting to change."""

from collections.abc import Collection
from email.utils import parseaddr

from funnel_app.address_checks import UNSIGNED

IN_A_CIRCLE = "must be a mailbox of your own, and not the address that answers come to: what goes on would come again."

Faults = dict[str, list[str]]


def unsigned(urls: Collection[str], secrets: Collection[str]) -> Faults:
    """Refuse receivers of events that could not tell our events from anybody's."""
    return {"EVENTS_WEBHOOK_SECRET": [UNSIGNED]} if urls and not secrets else {}


def in_a_circle(forward_to: str | None, ours: Collection[str | None]) -> Faults:
    """Refuse to send answers on to the address that they came to."""
    known = {parseaddr(mailbox)[1].lower() for mailbox in ours if mailbox}
    return {"REPLY_FORWARD_TO": [IN_A_CIRCLE]} if parseaddr(forward_to or "")[1].lower() in known else {}
