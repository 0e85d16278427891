"""What the workers of a test run share."""

from threading import Event, Thread

from tests.once import network_changes, network_stays


def test_the_network_changes_when_no_browser_is_used_and_before_the_next_one_is():
    order, wants = [], Event()

    def change():
        wants.set()
        with network_changes():
            order.append("changed")

    def browse():
        with network_stays():
            order.append("browsed")

    with network_stays():
        changing, browsing = Thread(target=change), Thread(target=browse)
        changing.start()
        assert wants.wait(10)
        changing.join(0.3)
        browsing.start()
        browsing.join(0.3)
        assert order == []
    changing.join()
    browsing.join()
    assert order == ["changed", "browsed"]
