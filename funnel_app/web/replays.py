"""Replays: refused calls that Funnel itself sends again. Nobody outside can claim to be one."""

from datetime import datetime

from flask import request

from funnel_app.replay import REPLAY_FROM, REPLAY_OF

ENTRANCES = {"website": "hook"}


def is_replay() -> bool:
    """Say whether this request is a replay by our own command, whose proof was checked when it first came."""
    return REPLAY_OF in request.environ


def entrance() -> str:
    """Return by which entrance this call came, or a replayed call came first: a hook, an old path, or Prefect's."""
    if is_replay():
        source = str(request.environ.get(REPLAY_FROM, "website"))
        return ENTRANCES.get(source, source)
    return "legacy" if "legacy" in (request.endpoint or "") else "hook"


def first_received_at() -> datetime | None:
    """Return when a replayed call first came; None for a call that is no replay."""
    return datetime.fromisoformat(request.environ[REPLAY_OF]) if is_replay() else None
