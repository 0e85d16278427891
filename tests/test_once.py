"""What the workers of a test run share."""

import fcntl
import time
from threading import Thread

from tests import once
from tests.once import network_changes, network_stays


def is_held(lock):
    """Whether somebody holds a lock alone."""
    with lock.open("w") as tried:
        try:
            fcntl.flock(tried, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_network_changes_when_no_browser_is_used_and_before_the_next_one_is(tmp_path, monkeypatch):
    monkeypatch.setattr(once, "_of_the_run", [tmp_path])
    order = []

    def change():
        with network_changes():
            order.append("changed")

    def browse():
        with network_stays():
            order.append("browsed")

    with network_stays():
        changing, browsing = Thread(target=change), Thread(target=browse)
        changing.start()
        while not is_held(tmp_path / "turn.lock"):
            time.sleep(0.01)
        browsing.start()
        browsing.join(0.3)
        assert order == []
    changing.join()
    browsing.join()
    assert order == ["changed", "browsed"]
