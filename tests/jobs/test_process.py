"""A part's collaborators: made before the parts are forked, connected by each part for itself."""

from pathlib import Path
from socket import create_server

import pytest

from funnel_app.deps import build_deps
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
