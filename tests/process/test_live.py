"""`make e2e-live`: a journey through a Funnel that is known by its address alone, and what it says where that fails."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.caller import Away, Broken, Caller
from sandbox.journey import STAGES, Journey
from sandbox.live import AWAY_S, Live, Run, main
from sandbox.stack import running_stack
from tests.pace import patient
from tests.process.starting import ONE_OF_EACH, start_funnel

TO = "delivered+live@resend.dev"


@pytest.mark.process(lasts_s=120)
def test_a_whole_journey_is_played_over_http_and_comes_as_it_should(monkeypatch, capsys):
    # The last reminder goes two days before the call, or not at all: time enough for it on any machine. The journey
    # takes thirteen days, and all of them must go into the time that a test has.
    with running_stack(min(round(patient(3)), 20), **ONE_OF_EACH) as stack:
        start_funnel(stack)
        monkeypatch.setenv("HOOK_SECRET", stack.settings["HOOK_SECRET"])
        assert main(["--url", stack.web_url, "--to", TO, "--within", str(patient(240))]) == 0, capsys.readouterr().out
        said = capsys.readouterr().out
        assert all(stage.words in said for stage in STAGES)
        assert "onboarding_phase1 completed: 3 of 3 emails delivered." in said
        assert "Everything came as it should." in said

        monkeypatch.setenv("HOOK_SECRET", "wrong")
        assert main(["--url", stack.web_url, "--to", TO]) == 1
        assert "/webhook/christmas/signup answers 401 where 202 was expected" in capsys.readouterr().out

        monkeypatch.setenv("HOOK_SECRET", stack.settings["HOOK_SECRET"])
        assert main(["--url", stack.web_url, "--to", "ana@elsewhere.example"]) == 1
        assert "to its TEST_RECIPIENTS" in capsys.readouterr().out


class Scripted(Caller):
    """A Funnel that answers what the test wants."""

    def __init__(
        self, *, ready=200, ended=(), apart=timedelta(seconds=60), run=("COMPLETED", "1 of 2 emails delivered.")
    ):
        super().__init__("http://funnel.example.com", "secret")
        object.__setattr__(self, "script", (ready, ended, apart, run))

    def get(self, path):
        ready, _, _, (state, said) = self.script
        if path == "/readyz":
            return ready, {"status": "not ready"}
        return 200, {"state": {"type": state, "message": said}}

    def post(self, path, payload, key):
        due = [datetime.now(UTC) + number * self.script[2] for number in range(2)]
        emails = [{"due_at": at.isoformat()} for at in due]
        return 202, {"hook_id": "h", "emails": emails, "ended": [{"sequence": name} for name in self.script[1]]}


def play(**script) -> list[str]:
    return Live(Scripted(**script), Journey(TO, "live"), deadline=0.0).play()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"ready": 503}, "/readyz answers 503"),
        ({"apart": timedelta(days=1)}, "a day is a day there: set TESTING_MODE=true"),
        ({"ended": ("five_day",)}, r"that ended \('five_day',\), not nothing"),
        (
            {"run": ("COMPLETED", "0 of 2 emails delivered; email 1 bounced: no")},
            "lead_nurture is over before its time",
        ),
        ({"run": ("RUNNING", "0 of 2 emails delivered; email 1 is held: no text")}, "time is over .* held: no text"),
        (
            {"run": ("RUNNING", "email 1 skipped: testing mode: the address is not in TEST_RECIPIENTS.")},
            r"add delivered\+live@resend.dev to its TEST_RECIPIENTS",
        ),
        ({"run": ("RUNNING", "email 3 skipped: the call had begun.")}, "was skipped: email 3 .* had begun"),
    ],
)
def test_a_journey_that_cannot_go_on_says_why(script, words):
    with pytest.raises(Broken, match=words):
        play(**script)


class Redeployed(Scripted):
    """A Funnel that is away at its second look and the next."""

    def get(self, path):
        looks = self.__dict__.setdefault("looks", [])
        looks.append(path)
        if len(looks) in {2, 3}:
            raise Away("it does not answer as Funnel does")
        return super().get(path)


def redeployed():
    caller = Redeployed(run=("COMPLETED", "0 of 2 emails delivered."))
    return caller, Live(caller, Journey(TO, "live"), deadline=time.monotonic() + patient(60))


def test_a_funnel_that_is_away_for_a_moment_is_looked_at_again(capsys):
    caller, live = redeployed()
    with pytest.raises(Broken, match="over before its time"):
        live.play()
    said = capsys.readouterr().out
    assert len(caller.looks) == 4 and said.count("it does not answer as Funnel does; asked again") == 1


class Proxied(Scripted):
    """A Funnel that took a call and whose answer got lost, and whose proxy answers for it then."""

    def post(self, path, payload, key):
        calls = self.__dict__.setdefault("calls", [])
        calls.append((path, json.dumps(payload), key))
        if len(calls) == 1:
            raise Away("it does not answer as Funnel does")
        return (502, {}) if len(calls) == 2 else super().post(path, payload, key)


def test_a_call_that_meets_a_deployment_is_made_again_as_the_same_call(capsys):
    caller = Proxied(run=("COMPLETED", "0 of 2 emails delivered."))
    with pytest.raises(Broken, match="over before its time"):
        Live(caller, Journey(TO, "live"), deadline=time.monotonic() + patient(60)).play()
    assert len(caller.calls) == 3 and len(set(caller.calls)) == 1
    assert capsys.readouterr().out.count("asked again") == 1


def test_a_proxy_that_answers_for_a_funnel_for_longer_than_a_deployment_is_told():
    live = Live(Proxied(), Journey(TO, "live"), deadline=0.0)
    live.answered_at -= AWAY_S
    with pytest.raises(Away):
        live.play()


def test_one_that_is_away_for_longer_than_a_deployment_is_told(monkeypatch):
    monkeypatch.setattr("sandbox.live.AWAY_S", 0.0)
    _, live = redeployed()
    with pytest.raises(Away):
        live.play()


def test_who_stops_a_journey_is_told_how_its_lead_is_removed(monkeypatch, capsys):
    def stop(live):
        live.runs.append(Run(STAGES[0], "h"))
        raise KeyboardInterrupt

    monkeypatch.setattr(Live, "play", stop)
    monkeypatch.setenv("HOOK_SECRET", "secret")
    assert main(["--url", "http://127.0.0.1:1", "--to", TO]) == 1
    said = capsys.readouterr().out
    assert "Not as it should be: stopped before its end" in said and "contacts erase delivered+live-" in said


def test_a_run_that_ended_with_too_little_is_a_fault():
    run = Run(STAGES[-1], "h", "COMPLETED", "2 of 3 emails delivered; email 3 bounced: no mailbox.")
    assert run.fault() == f"onboarding_phase1 is COMPLETED: {run.said}"
    assert Run(STAGES[-1], "h", "COMPLETED", "3 of 3 emails delivered.").fault() is None


def test_an_address_that_nobody_answers_at_is_told(monkeypatch, capsys):
    monkeypatch.setenv("HOOK_SECRET", "secret")
    assert main(["--url", "http://127.0.0.1:1", "--to", TO]) == 1
    assert "http://127.0.0.1:1/readyz does not answer as Funnel does" in capsys.readouterr().out


def test_what_it_wants_is_told(monkeypatch, capsys):
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    assert main(["--url", "", "--to", ""]) == 2
    assert "export HOOK_SECRET" in capsys.readouterr().err
