"""Replays: refused calls that Funnel sends to itself. Nobody outside can claim to be one."""

from datetime import datetime

from flask import request

from funnel_app.replay import REPLAY_FROM, REPLAY_OF

ENTRANCES = {"website": "hook"}


def is_replay() -> bool:
    """Say whether this request is a replay, whose authentication was checked at its first arrival."""
    return REPLAY_OF in request.environ


def entrance() -> str:
    """Return the entrance of this call, or of a replayed call's first arrival: a hook, an old path, or Prefect's."""
    if is_replay():
        source = str(request.environ.get(REPLAY_FROM, "website"))
        return ENTRANCES.get(source, source)
    return "legacy" if "legacy" in (request.endpoint or "") else "hook"


def first_received_at() -> datetime | None:
    """Return a replayed call's first arrival; None if it is no replay."""
    return datetime.fromisoformat(request.environ[REPLAY_OF]) if is_replay() else None
