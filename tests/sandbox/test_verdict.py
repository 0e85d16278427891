"""The demo's verdict: a visitor may do what they like to the leads of the scenario, and nothing ends by it."""

import sqlite3
from types import SimpleNamespace
from urllib.error import URLError

import pytest
from redis import Redis

from sandbox import demo
from sandbox import play as play_module
from sandbox import watch as watch_module
from sandbox.play import Play
from sandbox.processes import NotStarted, Processes
from sandbox.redis_server import RedisServer
from sandbox.scenario import SCENARIO, Observation
from sandbox.verdict import _lead_events
from sandbox.watch import Watch
from tests.process.watching import wait_until


def test_what_is_told_of_an_erased_lead_is_of_nobody_in_the_story():
    events = [
        {"id": "1", "type": "lead.erased", "data": {"lead": {"id": "0197"}}},
        {"id": "2", "type": "email.delivered", "data": {"lead": {"email": "ana@resend.dev"}}},
    ]
    assert _lead_events(SimpleNamespace(told=lambda: events), {"ana@resend.dev"}) == ["email.delivered"]


@pytest.mark.parametrize("fault", [NotStarted("no such lead"), KeyError("email"), ConnectionRefusedError()])
def test_the_demo_stays_whatever_could_not_be_told(monkeypatch, capsys, fault):
    def judge(*_: object) -> list[str]:
        raise fault

    stayed: list[bool] = []
    monkeypatch.setattr(demo, "all_faults", judge)

    def look() -> None:
        stayed.append(True)
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "LOOK_EVERY_S", 0)
    with pytest.raises(KeyboardInterrupt):
        demo._stay(SimpleNamespace(sandbox_url="http://127.0.0.1:1"), {}, SimpleNamespace(look=look))
    assert stayed and "not all could be told" in capsys.readouterr().out


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("fault", [NotStarted("flask simulate failed:\nError: no such lead"), URLError("no such lead")])
def test_what_an_owner_cannot_do_any_more_ends_the_demo_only_where_it_is_judged(judged, fault):
    def act(*_: object) -> str:
        raise fault

    deed = SimpleNamespace(act=act)
    play = Play(SimpleNamespace(stack=None), judged=judged)
    for did in (lambda: play._told_of(deed), lambda: play._came_of(SimpleNamespace(address="a@resend.dev"), deed)):
        if judged:
            with pytest.raises(type(fault)):
                did()
        else:
            assert "t cannot be done any more: " in (said := did()) and "no such lead" in said


@pytest.fixture
def watch(tmp_path):
    """The watch of a demo in which all live, and its parts by name."""
    parts = {name: SimpleNamespace(status=None) for name in ("worker", "sandbox")}
    for part in parts.values():
        part.poll = lambda part=part: part.status
    redis = SimpleNamespace(has_ended=False)
    settings = tmp_path / "demo.env"
    settings.touch()
    stack = SimpleNamespace(processes=Processes(tmp_path, {}, parts), redis=redis, web_url="http://127.0.0.1:1")
    return Watch(stack, settings)


def test_what_a_visitor_ended_is_told_once_and_comes_again(watch, monkeypatch, capsys):
    processes, begun = watch.stack.processes, []
    monkeypatch.setattr(Processes, "start", lambda self, name: begun.append(name) or self.running.pop(name))
    watch.look()
    assert capsys.readouterr().out == ""
    for part in processes.running.values():
        part.status = -9
    watch.settings.unlink()
    for _ in range(2):
        watch.look()
    said = capsys.readouterr().out
    assert said.count("worker has ended") == 1 and "in 150 s it is started again" in said and not begun
    assert said.count("stand-ins (sandbox) have ended, and all emails and texts with them") == 1
    assert said.count("its settings are gone") == 1
    monkeypatch.setattr(watch_module, "AGAIN_AFTER_S", 0)
    watch.look()
    assert begun == ["worker"] and capsys.readouterr().out == "\nworker is started again.\n"


def test_a_part_that_ends_a_second_time_is_told_again(watch, capsys):
    for status in (-9, None, -9):
        watch.stack.processes.running["worker"].status = status
        watch.look()
    assert capsys.readouterr().out.count("worker has ended") == 2


def test_a_redis_that_was_killed_comes_again_on_its_port(watch, monkeypatch, capsys):
    monkeypatch.setattr(watch_module, "AGAIN_AFTER_S", 0)
    with RedisServer() as redis:
        watch.stack.redis = redis
        with Redis.from_url(redis.url) as connection:
            connection.shutdown(nosave=True)
        wait_until("it has ended", lambda: redis.has_ended)
        watch.look()
        watch.look()
        with Redis.from_url(redis.url) as connection:
            assert connection.ping() and not redis.has_ended
    assert "Redis has ended" in (said := capsys.readouterr().out) and "Redis is started again." in said


def test_where_it_judges_it_starts_nothing_again(watch, monkeypatch, capsys):
    monkeypatch.setattr(watch_module, "AGAIN_AFTER_S", 0)
    watch.restarts = False
    watch.stack.processes.running["worker"].status = -9
    for _ in range(3):
        watch.look()
    assert capsys.readouterr().out == "" and watch.ended() == ["worker"]


@pytest.mark.parametrize(("judged", "looks"), [(True, 1), (False, 3)])
def test_a_story_that_stands_still_holds_up_no_judgement_and_waits_for_a_visitor(
    watch, monkeypatch, capsys, judged, looks
):
    monkeypatch.setattr(play_module, "QUIET_AFTER_S", 0)
    play = Play(SimpleNamespace(stack=watch.stack), judged=judged)
    monkeypatch.setattr(play, "emails", lambda: play.seen)
    looked: list[bool] = []
    monkeypatch.setattr(play, "go_on", lambda emails: looked.append(True))
    monkeypatch.setattr(play, "is_over", lambda emails: len(looked) == 3)
    play.seen["ana"] = [Observation("lead_nurture", "", 1, "planned", "")]
    play.to_the_end(watch)
    assert (len(looked), capsys.readouterr().out.count("The story goes on once")) == (looks, int(not judged))


def test_a_ledger_that_a_visitor_took_away_keeps_what_was_seen(tmp_path):
    scene = SimpleNamespace(stack=SimpleNamespace(ledger=tmp_path / "gone.db"))
    assert not any(Play(scene, judged=False).emails().values())
    with pytest.raises(sqlite3.Error):
        Play(scene).emails()


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ('{"event": "worker_started"}\n', "worker has ended. The console"),
        (
            "The campaign files cannot be used:\n  a.toml: there is no step.\n",
            "worker has ended: a.toml: there is no step.",
        ),
    ],
    ids=["killed", "a broken file"],
)
def test_what_a_part_said_to_people_as_it_ended_is_told(watch, capsys, log, told):
    watch.stack.processes.log("worker").write_text(log)
    watch.stack.processes.running["worker"].status = 1
    watch.look()
    assert told in capsys.readouterr().out


def test_a_story_whose_rest_a_visitor_prevented_for_good_ends(watch, monkeypatch):
    monkeypatch.setattr(play_module, "QUIET_AFTER_S", 0)
    play = Play(SimpleNamespace(stack=watch.stack), judged=False)
    seen = {lead.address: [Observation("lead_nurture", "", 1, "cancelled", "")] for lead in SCENARIO}
    monkeypatch.setattr(play, "emails", lambda: seen)
    monkeypatch.setattr(play, "go_on", lambda emails: None)
    assert play.to_the_end(watch) == seen and play.deeds
