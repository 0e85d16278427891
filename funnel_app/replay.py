"""Replay: send a refused call again through the application itself, so that one schema and one rule serve all."""

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
from funnel_app.flows.intake.received import find_hook, mark_replayed, told_faults

# Keys of the WSGI environment without HTTP_ never come from a caller.
REPLAY_OF = "funnel.replay_of"
REPLAY_FROM = "funnel.replay_from"
LARGEST_MEANT = 1024 * 1024


class NotReplayable(Exception):
    """A call that is not there or was not refused; the message says which."""


@dataclass(frozen=True)
class Replayed:
    """What became of a call that was sent again; `errors` are the faults that it has by now, each under its field."""

    taken: bool
    status: str
    words: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)


def find_refused(hook_id: UUID) -> dict[str, Any]:
    """Return a refused call; NotReplayable where there is none of that id, nothing of it is kept, or it was taken."""
    call = find_hook(current_deps(), hook_id)
    if call is None:
        raise NotReplayable(f"There is no call {hook_id}; see flask hooks list.")
    if call["outcome"] != "refused":
        raise NotReplayable(f"{hook_id} was {call['outcome']}: only refused calls are replayed.")
    if not call["kept"]:
        raise NotReplayable(f"{hook_id} counts calls that were too many to be kept: there is nothing to send again.")
    return call


def replay(hook_id: UUID, changes: Mapping[str, Any]) -> Replayed:
    """Send a refused call again with these fields changed, as of when it first came. Raises NotReplayable.

    A field within another is named by its way, as `payload.email`; `address` is the path of the hook that a call was
    meant for, and `body` stands for all of it.
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
        mark_replayed(current_deps(), hook_id, told["hook_id"])
    errors = told.get("errors") or {}
    words = told_faults(errors) or told.get("reason") or told.get("detail") or f"{len(told.get('emails', []))} emails"
    return Replayed(taken, str(told.get("status")), str(words), errors)


def corrected(payload: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a payload with these fields set, each by its way through objects and lists."""
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
    # A list where an object belongs is the fault itself: its rows have numbers, and no names.
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
    """Return what was meant: a body that was kept as it came may be an object all the same, or a form."""
    raw = bytes_of(payload)
    for media_type in ("application/json", FORM) if raw else ():
        with suppress(HTTPException):
            meant = read_body(raw or b"", media_type, "", LARGEST_MEANT)
            if isinstance(meant, dict) and (media_type != FORM or "email" in meant):
                return meant
    return payload
