"""A part's collaborators: made before the parts are forked, connected by each part for itself."""

from pathlib import Path
from socket import create_server

import pytest
from sqlalchemy.orm import Session

from funnel_app.deps import build_deps
from funnel_app.ledger import heartbeats
from jobs.process import ask_before_fork
from sandbox.redis_server import RedisServer
from tests.factories import make_settings

OPEN_FILES = Path("/proc/self/fd")


def test_making_them_opens_nothing_that_forks_would_share(tmp_path):
    with create_server(("127.0.0.1", 0)) as redis:
        redis.setblocking(False)
        url, before = f"redis://127.0.0.1:{redis.getsockname()[1]}/0", set(OPEN_FILES.iterdir())
        made = build_deps(make_settings(database_url=f"sqlite:///{tmp_path}/funnel.db", redis_url=url))
        assert set(OPEN_FILES.iterdir()) == before and not list(tmp_path.iterdir()), made
        with pytest.raises(BlockingIOError):
            redis.accept()


@pytest.mark.parametrize("is_there", [True, False])
def test_who_asks_before_a_fork_leaves_nothing_connected_that_forks_would_share(
    monkeypatch, sqlite, tmp_path, is_there
):
    with RedisServer() as redis:
        ledger = sqlite.url.render_as_string(False) if is_there else f"sqlite:///{tmp_path}/nowhere/funnel.db"
        url = redis.url if is_there else "redis://127.0.0.1:1/0"
        deps = build_deps(make_settings(database_url=ledger, redis_url=url))
        monkeypatch.setattr("jobs.process.deps", lambda: deps)
        before = opened()
        ask_before_fork()
        assert {name for name in opened() - before if not name.endswith("-turn")} == set()
    with Session(sqlite) as session:
        assert (heartbeats.find(session) is not None) is is_there, "it asked"


def opened() -> set[str]:
    """Return what this process has open: files by name, sockets by number."""
    return {str(each.readlink()) for each in OPEN_FILES.iterdir() if each.is_symlink()}
