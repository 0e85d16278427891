"""Replay: every fault that is shown can be fixed by the name that it is shown under."""

import pytest

from funnel_app.replay import NotReplayable, corrected


@pytest.mark.parametrize(
    ("payload", "changes", "wanted"),
    [
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"consent": {"ip": "x", "text": "Yes"}}, {"consent.ip": "::1"}, {"consent": {"ip": "::1", "text": "Yes"}}),
        ({"consent": True}, {"consent.ip": "::1"}, {"consent": {"ip": "::1"}}),
        ({}, {"payload.scheduled_event.start_time": "t"}, {"payload": {"scheduled_event": {"start_time": "t"}}}),
        ({"p": {"people": [{"email": "x"}]}}, {"p.people.0.email": "y"}, {"p": {"people": [{"email": "y"}]}}),
        ({"payload": {"people": []}}, {"payload.people.0.email": "y"}, {"payload": {"people": [{"email": "y"}]}}),
        ({}, {"people.0.email": "y"}, {"people": [{"email": "y"}]}),
        ({"people": [1]}, {"people.1": 2}, {"people": [1, 2]}),
        ({"event": []}, {"event.start_time": "t"}, {"event": {"start_time": "t"}}),
        ({"event": ["x"]}, {"event.start_time": "t"}, {"event": {"start_time": "t"}}),
        ({"body": "{"}, {"body": {"a": 1}, "b": 2}, {"a": 1, "b": 2}),
    ],
)  # fmt: skip
def test_a_field_is_set_by_its_way(payload, changes, wanted):
    before = repr(payload)
    assert corrected(payload, changes) == wanted
    assert repr(payload) == before, "what is kept is not touched"


@pytest.mark.parametrize(
    ("payload", "changes"),
    [({"people": [1]}, {"people.2": 2}), ({"rows": [[1]]}, {"rows.1.first": 2, "rows.3": 2}), ({}, {"body": "text"})],
)
def test_a_way_that_leads_nowhere_is_said(payload, changes):
    with pytest.raises(NotReplayable):
        corrected(payload, changes)
