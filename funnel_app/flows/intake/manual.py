"""Enrol manually: an operator starts a sequence for somebody."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from funnel_app.campaigns.catalogue import Source, Variable
from funnel_app.campaigns.links import carries_link, carries_number
from funnel_app.campaigns.model import Sequence
from funnel_app.campaigns.own_variables import catalogue_of
from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.deps import Deps
from funnel_app.flows.addresses import NotAnAddress, required, written
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.receipt import Receipt
from funnel_app.ledger import suppressions
from funnel_app.rules.calls.call import BY_HAND, Call

OF_THE_CONTACT = frozenset({Source.CONTACT, Source.ASSESSMENT})


class NotUnderstood(ValueError):
    """What an operator typed cannot be used; the message says what is wrong and what would be accepted."""


def enrol_manually(
    deps: Deps, sequence_name: str, address: str, values: Mapping[str, str], key: str | None = None
) -> Receipt:
    """Start a sequence as its hook would, with these variables. Raises NotUnderstood. Safe to repeat.

    With a key it happens once only, even for a sequence that allows re-entry.
    """
    try:
        campaign, sequence = deps.registry.named(sequence_name)
    except UnknownCampaign as fault:
        raise NotUnderstood(str(fault)) from None
    try:
        email, email_norm = written(address), required(address)
    except NotAnAddress as fault:
        raise NotUnderstood(str(fault)) from None
    _require_mailable(deps, email_norm, sequence)
    known = catalogue_of(campaign)
    given = {name: value_of(known, name, text) for name, text in values.items()}
    call_at = _call_at(sequence, given)
    return enrol(
        deps,
        Call(
            campaign=campaign.name,
            hook=next(hook.name for hook in campaign.hooks.values() if hook.handler == sequence.handler),
            source=BY_HAND,
            event=sequence.starts_on,
            email=email,
            email_norm=email_norm,
            contact={name: value for name, value in given.items() if known[name].source in OF_THE_CONTACT},
            variables={name: value for name, value in given.items() if known[name].source is Source.HOOK},
            payload={"email": address, **values},
            occurrence=call_at.isoformat() if call_at and sequence.per_occurrence else "",
            call_at=call_at,
            idempotency_key=key,
        ),
    )


def in_words(title: str, receipt: Receipt) -> str:
    """Return as a clause what an operator's call for a sequence of this title did."""
    because = f": {receipt.reason}" if receipt.reason else ""
    return f"“{title}” is started" if receipt.http_status == 202 else f"nothing is started{because}"


def _require_mailable(deps: Deps, email_norm: str, sequence: Sequence) -> None:
    with deps.reads() as session:
        forbidden = suppressions.find(session, email_norm, deps.settings.secret_key, sequence.kind)
    if forbidden is not None:
        cure = "“Mail again” on the lead's page lets it be"
        raise NotUnderstood(f"This address is not to be mailed: {forbidden.reason}; {cure}.")


def value_of(known: Mapping[str, Variable], name: str, text: str) -> Any:
    """Return the value that an operator gave for a variable, numbers converted. Raises NotUnderstood."""
    variable = known.get(name)
    if variable is None or variable.source not in {*OF_THE_CONTACT, Source.HOOK}:
        settable = [row.name for row in known.values() if row.source in {*OF_THE_CONTACT, Source.HOOK}]
        raise NotUnderstood(f"{name} cannot be set; these can: {', '.join(settable)}.")
    if name == "first_name" and (carries_link(text) or carries_number(text)):
        raise NotUnderstood(f"{name}={text}: a name carries no link and no number, since letters show it.")
    if variable.type != "number":
        return text
    try:
        number = int(text) if text.lstrip("-").isdigit() else float(text)
        ends = isfinite(number)
    except ValueError:
        raise NotUnderstood(f"{name}={text}: this is a number.") from None
    except OverflowError:
        ends = False
    if not ends:
        raise NotUnderstood(f"{name}={text}: this is a number that ends.")
    return number


def _call_at(sequence: Sequence, given: Mapping[str, Any]) -> datetime | None:
    if not sequence.per_occurrence:
        return None
    name = "call_time" if sequence.before_anchor else "scheduled_time"
    try:
        at = datetime.fromisoformat(str(given.get(name)))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise NotUnderstood(f"{sequence.name} is about a call: --set {name}=2026-12-03T15:00:00-05:00")
    return at.astimezone(UTC)
