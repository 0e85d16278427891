"""Unauthenticated calls: a sender whose secret is not ours is told of, though nothing of such a call is kept."""

import pytest

from tests.apps import application
from tests.factories import make_deps
from tests.flows.monitoring.live import LIVE, run_tasks
from tests.web.callers import SIGNUP

OLD = {"Authorization": "Bearer the-secret-of-last-year"}


@pytest.fixture
def live(engine):
    return make_deps(engine, **LIVE)


@pytest.fixture
def caller(live):
    return application(live).test_client()


def test_a_sender_with_an_old_secret_is_told_once(live, caller):
    for _ in range(4):
        assert caller.post(SIGNUP, json={"email": "ana@resend.dev"}, headers=OLD).status_code == 401
    (said,) = run_tasks(live, minutes=1)
    assert said.startswith(
        "🔴 Incoming calls without our secret (Sign-up for “Christmas Surge”): "
        "4 calls in the last hour with a wrong proof or none"
    )
    assert "What to do: Give the sender HOOK_SECRET" in live.alerts.posted[-1][1]
    assert run_tasks(live, hours=1, minutes=1)[1:] == [
        "🟢 Over: Incoming calls without our secret (Sign-up for “Christmas Surge”) (it lasted 1 min)"
    ]


def test_resends_events_under_another_secret_are_told(live, caller):
    for _ in range(3):
        assert caller.post("/webhook/resend", json={"type": "email.delivered"}).status_code == 401
    (said,) = run_tasks(live, minutes=1)
    assert "(resend): 3 calls" in said and "RESEND_WEBHOOK_SECRET" in live.alerts.posted[-1][1]


def test_a_stranger_who_tries_once_and_what_is_no_hook_are_no_news(live, caller):
    caller.post(SIGNUP, json={}, headers=OLD)
    for path in ("/webhook/easter/signup", "/metrics", "/console/"):
        for _ in range(4):
            caller.post(path, json={}, headers=OLD)
    assert run_tasks(live, minutes=1) == []


def test_while_redis_is_away_the_answer_is_the_same(live, caller):
    live.process_status.away = True
    assert caller.post(SIGNUP, json={}, headers=OLD).status_code == 401
