"""The pages that need no proof: health, and the way out of marketing."""

import pytest
from sqlalchemy import select

from funnel_app.ledger.models import Contact, Suppression
from tests.flows.leads import opt_in, states
from tests.web.console import Operator


@pytest.fixture
def lead(deps):
    receipt = opt_in(deps)
    with deps.reads() as session:
        return receipt, session.scalars(select(Contact.unsubscribe_token)).one()


def suppressed(deps) -> int:
    with deps.reads() as session:
        return len(session.scalars(select(Suppression)).all())


def test_healthz_asks_nobody(client, deps):
    deps.queues.away = True
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (200, {"status": "ok"})


def test_readyz_tells_whether_all_is_there_and_gives_no_reasons_away(client, deps):
    assert (client.get("/readyz").status_code, client.get("/readyz").json) == (200, {"status": "ready"})
    deps.queues.away = True
    assert (client.get("/readyz").status_code, client.get("/readyz").json) == (503, {"status": "not ready"})


def test_following_the_link_changes_nothing(client, deps, lead):
    receipt, token = lead
    page = client.get(f"/u/{token}")
    assert page.status_code == 200
    assert '<button type="submit">Unsubscribe</button>' in page.text and "BusinessX" in page.text
    assert suppressed(deps) == 0 and set(states(deps, receipt)) == {"planned"}


def test_the_button_ends_marketing(client, deps, lead):
    receipt, token = lead
    page = client.post(f"/u/{token}")
    assert page.status_code == 200 and "You are unsubscribed" in page.text
    assert "Emails about your own calls and orders still come." in page.text
    assert suppressed(deps) == 1 and set(states(deps, receipt)) == {"cancelled"}
    assert client.get(f"/u/{token}").text == page.text, "who comes back sees how it stands"


def test_a_reader_may_choose_to_get_nothing_at_all(client, deps, lead):
    page = client.post(f"/u/{lead[1]}", data={"choice": "all"})
    assert "You get no more emails from us." in page.text and 'value="all"' not in page.text
    assert suppressed(deps) == 1


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_in_the_mail_program_ends_it_too(client, deps, lead, form):
    """RFC 8058: no page, no cookie, no redirect."""
    answer = client.post(f"/u/{lead[1]}", data={"List-Unsubscribe": "One-Click"}, content_type=form)
    assert (answer.status_code, answer.text, suppressed(deps)) == (200, "", 1)
    assert "Set-Cookie" not in answer.headers and "Location" not in answer.headers


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_nobodys_is_not_found(client, deps, method):
    assert getattr(client, method)("/u/nobody").status_code == 404
    assert suppressed(deps) == 0


def test_a_fault_of_ours_shows_no_stack_trace(app, monkeypatch):
    def broken(deps):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("funnel_app.web.health.stops", broken)
    app.testing = False
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret detail" not in answer.text and "Traceback" not in answer.text


def test_a_fault_of_ours_in_the_console_is_told_in_words_with_the_number_that_the_log_has(app, monkeypatch):
    def broken(deps):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("funnel_app.web.console.replies.list_received", broken)
    app.testing = False
    operator = Operator(app.test_client())
    operator.log_in()
    answer = operator.get("/console/replies", headers={"X-Request-Id": "a" * 32})
    assert answer.status_code == 500 and "Something is wrong on our side" in answer.text
    assert "a" * 32 in answer.text and "secret detail" not in answer.text and "Internal" not in answer.text
