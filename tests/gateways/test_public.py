"""Our public address, called as everybody calls it, and the clock of another machine."""

from datetime import UTC, datetime

import pytest
import requests
import responses

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.public_url import PublicUrlProbe, world_time

URL = "https://funnel.example"


@responses.activate
def test_an_address_that_answers_is_well():
    responses.get(f"{URL}/healthz", json={"status": "ok"})
    PublicUrlProbe(URL, "s").check()


@responses.activate
@pytest.mark.parametrize(
    ("answer", "family"), [({"status": 502}, Rejected), ({"body": requests.Timeout()}, Unavailable)]
)
def test_an_address_that_does_not_is_told(answer, family):
    responses.get(f"{URL}/healthz", **answer)
    with pytest.raises(family):
        PublicUrlProbe(URL, "s").check()


@responses.activate
def test_the_signup_hook_is_called_with_its_secret():
    bearer = responses.matchers.header_matcher({"Authorization": "Bearer s"})
    responses.post(f"{URL}/webhook/canary/signup", status=202, json={"status": "accepted"}, match=[bearer])
    assert PublicUrlProbe(URL, "s").sign_up("canary", {"email": "a@resend.dev"}) == {"status": "accepted"}
    responses.post(f"{URL}/webhook/other/signup", status=401)
    with pytest.raises(Rejected, match="answered 401"):
        PublicUrlProbe(URL, "s").sign_up("other", {})


@responses.activate
def test_the_time_of_another_machine_is_read_from_its_answer():
    responses.head(URL, headers={"Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, status=404)
    assert world_time(URL) == datetime(2026, 11, 24, 12, tzinfo=UTC)
    responses.head("https://other.example", headers={"Date": "soon"})
    with pytest.raises(Unavailable, match="no date"):
        world_time("https://other.example")
