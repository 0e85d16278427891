"""A hostile template costs its judge the life and nobody else anything; the next one is judged by another."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest.mock import Mock

import pytest
from rq.timeouts import JobTimeoutException

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.letters import judge_process
from funnel_app.gateways.letters.judge_process import JudgeProcess
from funnel_app.letters.validation.draft import Draft
from tests.pace import patient

GOOD = "<p>Hi {{ first_name }}</p>"


@pytest.fixture
def judge():
    built = JudgeProcess(cpu_s=1)
    yield built
    built.close()


def draft(html: str) -> Draft:
    return Draft("Hello", html, "Active", frozenset({"first_name"}))


def ask(judge: JudgeProcess, html: str):
    return judge.judge(html, lambda: draft(html))


def test_a_template_is_judged_in_a_process_that_knows_no_secret_and_lives_on(judge, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of this test")
    assert ask(judge, GOOD).parts.html.count("{{ first_name }}") == 1
    first = judge.pid
    assert first not in (None, os.getpid())
    # Sentry, where a test before began it, tells a child process which trace it belongs to, and nothing else.
    known = Path(f"/proc/{first}/environ").read_bytes().split(b"\0")
    assert [each for each in known if each and not each.startswith(b"SUBPROCESS_")] == []
    ask(judge, GOOD + "!")
    assert judge.pid == first


def test_a_text_that_did_not_change_is_not_judged_again(judge):
    kept = ask(judge, GOOD)
    judge.close()
    assert judge.judge(GOOD, lambda: pytest.fail("judged again")) is kept
    assert judge.pid is None


def test_what_two_ask_for_at_once_is_judged_once(judge):
    both = Barrier(2)

    def made() -> Draft:
        both.wait(patient(10))
        return draft(GOOD)

    with ThreadPoolExecutor(2) as callers:
        one, other = callers.map(lambda _: judge.judge(GOOD, made), range(2))
    assert one is other


def test_what_spins_is_named_and_hurts_no_other(judge):
    endless = "<style>" + "p{color:red}" * 15_000 + "</style>" + "<p>x" * 15_000
    (problem,) = ask(judge, endless).problems
    assert problem.code == "too_heavy" and problem.blocking
    assert "more than 1 seconds" in problem.detail
    assert ask(judge, GOOD).parts is not None


def test_a_crash_is_named_and_hurts_no_other(judge):
    def kill() -> Draft:
        os.kill(judge.pid, 11)
        os.waitid(os.P_PID, judge.pid, os.WEXITED | os.WNOWAIT)
        return draft(GOOD)

    ask(judge, GOOD)
    assert judge.judge("crash", kill).parts is not None, "one that died while it was idle is replaced"


def test_a_judge_that_is_kept_waiting_is_no_fault_of_the_template():
    impatient = JudgeProcess(wall_s=0.0)
    with pytest.raises(Unavailable, match="busy"):
        ask(impatient, GOOD)
    assert impatient.pid is None
    impatient.close()


def test_a_verdict_that_nobody_waited_for_is_not_given_to_the_next(judge, monkeypatch):
    ask(judge, "<p>its child runs</p>")
    with monkeypatch.context() as impatient:
        # As a job whose time is up: RQ raises its error at whatever line is run.
        impatient.setattr(judge_process, "_readable", Mock(side_effect=JobTimeoutException))
        with pytest.raises(JobTimeoutException):
            ask(judge, GOOD)
    assert "another" in ask(judge, "<p>another</p>").parts.html


def test_a_stop_from_outside_is_no_fault_of_the_template(judge, monkeypatch):
    ask(judge, GOOD)
    running = judge._running()
    monkeypatch.setattr(running, "poll", lambda: None)
    running.terminate()
    with pytest.raises(Unavailable, match="stopped from outside"):
        ask(judge, GOOD + "!")
    assert os.getsid(os.getpid()) != judge.pid and ask(judge, GOOD + "?").parts is not None
