"""Ready: whatever keeps Funnel from its work is named in plain words."""

import pytest
from sqlalchemy import text

from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.monitoring.status.ready import faults
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.models import HookEvent


def test_nothing_is_missing_where_all_is_there(deps):
    assert faults(deps) == []


def test_redis_away_is_named(deps):
    deps.queues.away = True
    assert faults(deps) == ["Redis cannot be reached"]


def test_redis_that_dies_while_it_is_asked_is_named(deps, monkeypatch):
    def away():
        raise Unavailable("redis", "gone")

    monkeypatch.setattr(deps.process_status, "seen", away)
    assert faults(deps) == ["Redis cannot be reached"]


@pytest.mark.parametrize("dead", ["scheduler", "worker"])
def test_a_process_that_is_not_heard_of_is_named(deps, dead):
    deps.process_status.silent.update({dead, f"{dead}:1", f"{dead}:2"})
    deps.queues.dead.add(dead)
    assert faults(deps) == [f"no {dead} has been heard of lately"]


def test_a_ledger_that_is_behind_is_named(deps):
    with deps.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert faults(deps) == ["the ledger is older than this Funnel, and waits to be brought up to it"]


@pytest.mark.parametrize(("payload", "kept"), [({"email": 1}, {"email": 1}), ([1, 2], {"body": [1, 2]})])
def test_what_is_refused_is_kept_with_its_faults(deps, payload, kept):
    hook_id = refuse(deps, campaign="christmas", hook="signup", payload=payload, errors={"email": ["wrong"]})
    with deps.reads() as session:
        hook = session.get(HookEvent, hook_id)
    assert (hook.outcome, hook.payload, hook.errors) == ("refused", kept, {"email": ["wrong"]})
