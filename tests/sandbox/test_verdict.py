"""The demo's verdict: a visitor may do what they like to the leads of the story, and nothing ends by it."""

from types import SimpleNamespace

import pytest

from sandbox import demo
from sandbox.processes import NotStarted
from sandbox.verdict import _told


def test_what_is_told_of_an_erased_lead_is_of_nobody_in_the_story():
    events = [
        {"id": "1", "type": "lead.erased", "data": {"lead": {"id": "0197"}}},
        {"id": "2", "type": "email.delivered", "data": {"lead": {"email": "ana@resend.dev"}}},
    ]
    assert _told(SimpleNamespace(told=lambda: events), {"ana@resend.dev"}) == ["email.delivered"]


@pytest.mark.parametrize("fault", [NotStarted("no such lead"), KeyError("email"), ConnectionRefusedError()])
def test_the_demo_stays_whatever_could_not_be_told(monkeypatch, capsys, fault):
    def judge(*_: object) -> list[str]:
        raise fault

    stayed: list[bool] = []
    monkeypatch.setattr(demo, "all_faults", judge)
    monkeypatch.setattr("signal.pause", lambda: stayed.append(True))
    demo._stay(SimpleNamespace(sandbox_url="http://127.0.0.1:1"), {})
    assert stayed and "not all could be told" in capsys.readouterr().out


@pytest.mark.parametrize("judged", [True, False])
def test_what_an_owner_cannot_do_any_more_ends_the_demo_only_where_it_is_judged(judged):
    def act(stack: object) -> str:
        raise NotStarted("flask simulate failed:\nError: no such lead")

    deed = SimpleNamespace(act=act)
    play = demo.Play(SimpleNamespace(stack=None), judged=judged)
    if judged:
        with pytest.raises(NotStarted):
            play._told_of(deed)
    else:
        assert play._told_of(deed) == "It cannot be done any more: Error: no such lead"
