"""Faults of settings, by the name to change: settings that contradict each other, and all faults in one message."""

from collections.abc import Collection, Mapping
from email.utils import parseaddr

from funnel_app.setting_checks import NOT_SET, plainer
from funnel_app.url_checks import UNSIGNED

IN_A_CIRCLE = "must be a mailbox of your own, and not the address that answers come to: what goes on would come again."

Faults = dict[str, list[str]]


def unsigned(urls: Collection[str], secrets: Collection[str]) -> Faults:
    """Reject event receivers without a secret to sign events with."""
    return {"EVENTS_WEBHOOK_SECRET": [UNSIGNED]} if urls and not secrets else {}


def in_a_circle(forward_to: str | None, ours: Collection[str | None]) -> Faults:
    """Reject forwarding replies to the address they arrive at."""
    known = {parseaddr(mailbox)[1].lower() for mailbox in ours if mailbox}
    return {"REPLY_FORWARD_TO": [IN_A_CIRCLE]} if parseaddr(forward_to or "")[1].lower() in known else {}


def by_name(messages: Mapping[str, list[str]] | list[str]) -> Mapping[str, list[str]]:
    """Return a reader's faults in plain words by setting name; nameless ones are under `settings`."""
    found = {"settings": messages} if isinstance(messages, list) else messages
    return {name: [plainer(text) for text in texts] for name, texts in found.items()}


def all_faults(messages: Mapping[str, list[str]]) -> str:
    """Return all faults in one message, which ends with what asks for those that are not set."""
    lines = [f"  {name}: {' '.join(str(text) for text in texts)}" for name, texts in sorted(messages.items())]
    asked = (
        ["flask setup asks for each, and writes .env."] if any(NOT_SET in texts for texts in messages.values()) else []
    )
    return "\n".join(["The settings cannot be used. Fix these in the environment (or in .env):", *lines, *asked])
