"""Deeds: what people did for a lead, with the address that each correction replaced."""

from collections.abc import Sequence
from typing import Any

from funnel_app.flows.receipt import iso
from funnel_app.ledger.models import Contact
from funnel_app.ledger.operator_actions import CORRECT, OperatorAction
from funnel_app.rules.people.contact import earlier_addresses


def deeds_of(contact: Contact, actions: Sequence[OperatorAction]) -> list[dict[str, Any]]:
    """Return what people did as plain data, oldest first: when, who, and what in words."""
    earlier = earlier_addresses(contact)
    corrections = [action.id for action in actions if action.action == CORRECT]
    # The record holds no address, since it outlives an erasure; those of corrections before they were kept are unknown.
    replaced = dict(zip(reversed(corrections), reversed(earlier), strict=False))
    return [
        {"at": iso(action.at), "who": action.operator, "what": _words(action, replaced.get(action.id))}
        for action in actions
    ]


def _words(action: OperatorAction, replaced: str | None) -> str:
    said = action.detail or action.action
    return f"{said}; it was {replaced} before" if replaced else said
