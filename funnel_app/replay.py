"""Replay: send a refused call through the application again, so that the same schema and rules apply."""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import current_app
from werkzeug.exceptions import HTTPException

from funnel_app.bodies import FORM, bytes_of, read_body
from funnel_app.current import current_deps
from funnel_app.flows.intake.received_calls import faults_in_words, find_hook, mark_replayed

# A caller cannot set keys of the WSGI environment without HTTP_.
REPLAY_OF = "funnel.replay_of"
REPLAY_FROM = "funnel.replay_from"
LARGEST_MEANT = 1024 * 1024


class NotReplayable(Exception):
    """The call does not exist or was not refused; the message says which."""


@dataclass(frozen=True)
class Replayed:
    """The result of a replay; `errors` are the call's remaining faults by field."""

    taken: bool
    status: str
    words: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)


def find_refused(hook_id: UUID) -> dict[str, Any]:
    """Return a refused call; NotReplayable if the id is unknown, nothing is kept, or it was accepted."""
    call = find_hook(current_deps().reads, hook_id)
    if call is None:
        raise NotReplayable(f"There is no call {hook_id}; see flask hooks list.")
    if call["outcome"] != "refused":
        raise NotReplayable(f"{hook_id} was {call['outcome']}: only refused calls are replayed.")
    if not call["kept"]:
        raise NotReplayable(f"{hook_id} counts calls that were too many to be kept: there is nothing to send again.")
    return call


def replay(hook_id: UUID, changes: Mapping[str, Any]) -> Replayed:
    """Replay a refused call with these fields changed, as of its first arrival. Raises NotReplayable.

    A nested field is named by its path, as `payload.email`; `address` is the path of the hook that a call was meant
    for, and `body` the whole body.
    """
    call = find_refused(hook_id)
    changes = dict(changes)
    address = changes.pop("address", None) or f"/webhook/{call['campaign']}/{call['hook']}"
    answer = current_app.test_client().post(
        quote(str(address)),
        json=corrected(_meant(call["payload"]), changes),
        environ_overrides={REPLAY_OF: call["at"], REPLAY_FROM: call["source"]},
    )
    told = answer.get_json()
    taken = answer.status_code < 300
    if taken:
        mark_replayed(current_deps().sessions, hook_id, told["hook_id"])
    errors = told.get("errors") or {}
    words = (
        faults_in_words(errors) or told.get("reason") or told.get("detail") or f"{len(told.get('emails', []))} emails"
    )
    return Replayed(taken, str(told.get("status")), str(words), errors)


def corrected(payload: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a payload with these fields set, each by its path through objects and lists."""
    whole = deepcopy(changes.get("body", payload))
    if not isinstance(whole, dict):
        raise NotReplayable("body stands for the whole payload, and is a JSON object.")
    for name, value in changes.items():
        if name != "body":
            _set(whole, name.split("."), value)
    return whole


def _set(inside: Any, way: list[str], value: Any) -> None:
    for name, following in pairwise(way):
        if not _leads_on(_get(inside, name), following):
            _put(inside, name, [] if following == "0" else {})
        inside = _get(inside, name)
    _put(inside, way[-1], value)


def _leads_on(inner: Any, following: str) -> bool:
    # A list instead of an object is the fault: its items are addressed by number.
    return isinstance(inner, dict) or (isinstance(inner, list) and following.isdecimal())


def _get(inside: Any, name: str) -> Any:
    if isinstance(inside, list):
        return inside[_place(inside, name)] if _place(inside, name) < len(inside) else None
    return inside.get(name)


def _put(inside: Any, name: str, value: Any) -> None:
    if isinstance(inside, list):
        inside[_place(inside, name) : _place(inside, name) + 1] = [value]
    else:
        inside[name] = value


def _place(rows: list[Any], name: str) -> int:
    if not name.isdecimal() or int(name) > len(rows):
        raise NotReplayable(f"There is no {name} in a list of {len(rows)}: its rows are counted from 0.")
    return int(name)


def _meant(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the intended payload: a body kept verbatim may still be an object or a form."""
    raw = bytes_of(payload)
    for media_type in ("application/json", FORM) if raw else ():
        with suppress(HTTPException):
            meant = read_body(raw or b"", media_type, "", LARGEST_MEANT)
            if isinstance(meant, dict) and (media_type != FORM or "email" in meant):
                return meant
    return payload
