"""The dead man's switch is itself looked at: one that does not know us is a fault, told after some minutes."""

import pytest
import responses

from funnel_app.flows.monitoring.check import Status
from funnel_app.flows.monitoring.checks.outside import heartbeat
from funnel_app.flows.monitoring.notifications.heartbeat import ping
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.chat import Alerts
from tests.factories import make_deps
from tests.flows.monitoring.live import LIVE

URL = "https://hc-ping.example/1"


@pytest.fixture
def live(sqlite):
    return make_deps(sqlite, **LIVE)


@pytest.mark.parametrize(
    ("status", "body"), [(404, ""), (410, "gone"), (301, ""), (200, "OK (not found)"), (400, "invalid url format")]
)
def test_a_switch_that_knows_us_not_is_a_refusal(status, body):
    with responses.RequestsMock() as world:
        world.get(URL, status=status, body=body, headers={"Location": "https://elsewhere.example/"})
        with pytest.raises(Rejected):
            Alerts().ping(URL)


def test_a_switch_that_hears_us_is_well():
    with responses.RequestsMock() as world:
        world.get(URL, body="OK")
        Alerts().ping(URL)
        assert len(world.calls) == 1


@pytest.mark.parametrize("fault", [Rejected("hc-ping.example", "answered 404"), Unavailable("hc-ping.example", "502")])
def test_what_is_unheard_for_minutes_is_told_once_and_found_by_the_doctor(live, fault):
    live.alerts.fault = fault
    assert ping(live) is None, "False is soon called again: that is for what was not called"
    (check,) = heartbeat(live)
    assert check.status is Status.FAULT and str(fault) in check.detail
    live.now.forward(minutes=6)
    assert not ping(live)
    live.alerts.fault = None
    notify(live)
    assert len([text for _, text in live.alerts.posted if "dead man's switch does not hear us" in text]) == 1
    assert ping(live)
    live.now.forward(minutes=3)
    assert ping(live)
    (check,) = heartbeat(live)
    assert check.status is Status.OK


def test_without_an_address_there_is_nothing_to_find(deps):
    assert list(heartbeat(deps)) == [] and ping(deps) is False
