"""Replay: send a refused call again through the application itself, so that one schema and one rule serve all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app

from funnel_app.current import current_deps
from funnel_app.flows.intake.received import find_hook, mark_replayed

# Keys of the WSGI environment without HTTP_ never come from a caller.
REPLAY_OF = "funnel.replay_of"
REPLAY_FROM = "funnel.replay_from"


class NotReplayable(Exception):
    """A call that is not there or was not refused; the message says which."""


@dataclass(frozen=True)
class Replayed:
    """What became of a call that was sent again."""

    taken: bool
    status: str
    words: str


def find_refused(hook_id: UUID) -> dict[str, Any]:
    """Return a refused call; NotReplayable where there is none of that id, or it was not refused."""
    call = find_hook(current_deps(), hook_id)
    if call is None:
        raise NotReplayable(f"There is no call {hook_id}; see flask hooks list.")
    if call["outcome"] != "refused":
        raise NotReplayable(f"{hook_id} was {call['outcome']}: only refused calls are replayed.")
    return call


def replay(hook_id: UUID, changes: Mapping[str, Any]) -> Replayed:
    """Send a refused call again with these fields changed, as of when it first came. Raises NotReplayable."""
    call = find_refused(hook_id)
    answer = current_app.test_client().post(
        f"/webhook/{call['campaign']}/{call['hook']}",
        json={**_meant(call["payload"]), **changes},
        environ_overrides={REPLAY_OF: call["at"], REPLAY_FROM: call["source"]},
    )
    told = answer.get_json()
    taken = answer.status_code < 300
    if taken:
        mark_replayed(current_deps(), hook_id, told["hook_id"])
    words = told.get("errors") or told.get("reason") or told.get("detail") or f"{len(told.get('emails', []))} emails"
    return Replayed(taken, str(told.get("status")), str(words))


def _meant(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what was meant: a body that was kept as text, since its form was wrong, may be an object all the same."""
    if set(payload) != {"body"} or not isinstance(payload["body"], str):
        return payload
    try:
        meant = json.loads(payload["body"])
    except json.JSONDecodeError:
        return payload
    return meant if isinstance(meant, dict) else payload
