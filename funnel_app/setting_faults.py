"""What is wrong with settings, by the name of the one to change: those that do not fit each other, and all in one."""

from collections.abc import Collection, Mapping
from email.utils import parseaddr

from funnel_app.address_checks import UNSIGNED
from funnel_app.setting_checks import plainer

IN_A_CIRCLE = "must be a mailbox of your own, and not the address that answers come to: what goes on would come again."

Faults = dict[str, list[str]]


def unsigned(urls: Collection[str], secrets: Collection[str]) -> Faults:
    """Refuse receivers of events that could not tell our events from anybody's."""
    return {"EVENTS_WEBHOOK_SECRET": [UNSIGNED]} if urls and not secrets else {}


def in_a_circle(forward_to: str | None, ours: Collection[str | None]) -> Faults:
    """Refuse to send answers on to the address that they came to."""
    known = {parseaddr(mailbox)[1].lower() for mailbox in ours if mailbox}
    return {"REPLY_FORWARD_TO": [IN_A_CIRCLE]} if parseaddr(forward_to or "")[1].lower() in known else {}


def by_name(messages: Mapping[str, list[str]] | list[str]) -> Mapping[str, list[str]]:
    """Return what a reader found wrong, in plain words by the names of settings; what has none is of `settings`."""
    found = {"settings": messages} if isinstance(messages, list) else messages
    return {name: [plainer(text) for text in texts] for name, texts in found.items()}


def all_faults(messages: Mapping[str, list[str]]) -> str:
    """Return all that is wrong in one message."""
    lines = [f"  {name}: {' '.join(str(text) for text in texts)}" for name, texts in sorted(messages.items())]
    return "The settings cannot be used. Fix these in the environment (or in .env):\n" + "\n".join(lines)
