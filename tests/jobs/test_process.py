"""A part's collaborators: made before the parts are forked, connected by each part for itself."""

from pathlib import Path

from funnel_app.deps import build_deps
from tests.factories import make_settings

OPEN_FILES = Path("/proc/self/fd")


def test_making_them_opens_nothing_that_forks_would_share():
    before = set(OPEN_FILES.iterdir())
    made = build_deps(make_settings(database_url="sqlite:////nowhere/funnel.db", redis_url="redis://127.0.0.1:1/0"))
    assert set(OPEN_FILES.iterdir()) == before, made
