"""Replays: refused calls that Funnel itself sends again. Nobody outside can claim to be one."""

from datetime import datetime

from flask import request

from funnel_app.replay import REPLAY_OF


def is_replay() -> bool:
    """Say whether this request is a replay by our own command, whose proof was checked when it first came."""
    return REPLAY_OF in request.environ


def first_received_at() -> datetime | None:
    """Return when a replayed call first came; None for a call that is no replay."""
    return datetime.fromisoformat(request.environ[REPLAY_OF]) if is_replay() else None
