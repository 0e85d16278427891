"""Refused calls do not grow without end: the same is counted, a caller has a budget, and what is not kept is said."""

import pytest
from sqlalchemy import select

from funnel_app.flows.intake import keep_refused
from funnel_app.flows.intake.keep_refused import NOT_KEPT, refuse
from funnel_app.flows.intake.received_calls import mark_replayed
from funnel_app.flows.monitoring.probes.refused_calls import refused_lately
from funnel_app.ledger.models import HookEvent

FAULT = {"email": ["Not an email address."]}


def rows(deps) -> list[HookEvent]:
    with deps.reads() as session:
        return list(session.scalars(select(HookEvent).order_by(HookEvent.id)))


def send(deps, payload, errors=FAULT, **more):
    return refuse(deps, campaign="christmas", hook="signup", payload=payload, errors=errors, **more)


def test_the_same_call_is_one_row_with_its_number_and_its_last_time(deps):
    ids = set()
    for _ in range(50):
        ids.add(send(deps, {"email": "bea@", "a": 1}))
        ids.add(send(deps, {"a": 1, "email": "bea@"}))
        deps.now.forward(seconds=1)
    (row,) = rows(deps)
    assert (ids, row.times) == ({row.id}, 100)
    assert (row.happened_at - row.received_at).total_seconds() == 49
    assert refused_lately(deps)["christmas/signup"].startswith("100 calls refused")


@pytest.mark.parametrize("other", [{"payload": {"email": "cy@"}}, {"errors": {"x": ["no"]}}, {"source": "legacy"}])
def test_what_differs_is_kept_by_itself(deps, other):
    send(deps, {"email": "bea@"})
    send(deps, **{"payload": {"email": "bea@"}, **other})
    assert [row.times for row in rows(deps)] == [1, 1]


def test_a_call_that_is_still_refused_hours_later_is_told_as_if_it_were_new(deps):
    send(deps, {"email": "bea@"})
    deps.now.forward(hours=5)
    assert refused_lately(deps) == {}
    send(deps, {"email": "bea@"})
    assert "christmas/signup" in refused_lately(deps)


def test_what_was_replayed_and_comes_again_is_a_call_of_its_own(deps):
    first = send(deps, {"email": "bea@"})
    mark_replayed(deps.sessions, first, "0")
    assert send(deps, {"email": "bea@"}) != first


def test_beyond_a_callers_budget_calls_are_counted_and_said_not_to_be_kept(deps, monkeypatch):
    monkeypatch.setattr(keep_refused, "BUDGET_BYTES", 30_000)
    for n in range(100):
        send(deps, {"email": f"x{n}@", "blob": "z" * 1000})
    kept, (beyond,) = [r for r in rows(deps) if r.errors == FAULT], [r for r in rows(deps) if r.errors == NOT_KEPT]
    assert len(kept) + beyond.times == 100 and sum(r.size for r in kept) <= 30_000
    assert "are counted here alone" in refused_lately(deps)["christmas/signup"] or len(kept) > beyond.times
    refuse(deps, campaign="christmas", hook="maybe", payload={"a": 1}, errors=FAULT)
    assert [r.hook for r in rows(deps) if r.payload == {"a": 1}] == ["maybe"], "another caller has a budget of its own"
    deps.now.forward(hours=25)
    send(deps, {"email": "tomorrow@"})
    assert rows(deps)[-1].payload == {"email": "tomorrow@"}
