"""Whoever commits for others waits a moment for those who are on their way, and for nobody else."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy.exc import OperationalError

from funnel_app.ledger.database import crowd as crowd_module
from funnel_app.ledger.database.crowd import Crowd
from funnel_app.ledger.database.group_commit import GroupCommit
from tests import in_line


def test_who_is_on_the_way_to_the_line_is_waited_for(monkeypatch):
    monkeypatch.setattr(crowd_module, "WAITS_AT_MOST_S", 30)
    crowd, groups = Crowd(at_once=3), []
    line: GroupCommit[int, int] = GroupCommit(crowd)

    def work(gather):
        groups.append(gather())
        return groups[-1]

    # The fourth waits for one of three threads.
    for _ in range(4):
        crowd.come()
    with ThreadPoolExecutor(3) as callers:
        assert sorted(callers.map(lambda number: line.run(number, work), range(3))) == [0, 1, 2]
    assert sorted(groups[0]) == [0, 1, 2] and len(groups) == 1


def test_who_never_comes_to_the_line_is_not_waited_for_long():
    crowd = Crowd(at_once=2)
    crowd.come()
    crowd.come()
    assert GroupCommit(crowd).run("mine", lambda gather: [job.upper() for job in gather()]) == "MINE"
    crowd.go()
    crowd.go()
    crowd.gather()


def test_what_follows_a_commit_waits_until_the_next_group_may_begin():
    line: GroupCommit[str, str] = GroupCommit()
    told = []

    def work(gather):
        return [job.upper() for job in gather()]

    def follow(outcomes):
        told.append(list(outcomes))
        told.append(line.run("next", work))

    assert line.run("mine", work, follow) == "MINE"
    assert told == [["MINE"], "NEXT"]


def test_a_ledger_that_is_away_is_told_to_all_at_once_and_what_one_may_have_caused_to_that_one():
    line: GroupCommit[str, str] = GroupCommit()
    tried = []

    def work(gather):
        tried.append(gather())
        if "away" in tried[-1]:
            raise OperationalError("BEGIN IMMEDIATE", None, Exception("busy"))
        if "bad" in tried[-1]:
            raise ValueError("bad")
        return tried[-1]

    assert together(line, work, ["away", "good"]) == ["OperationalError"] * 2 and tried == [["away", "good"]]
    tried.clear()
    assert together(line, work, ["bad", "good"]) == ["ValueError", "good"]
    assert tried == [["bad", "good"], ["bad"], ["good"]]


def test_a_leader_that_answers_too_few_leaves_nobody_waiting():
    line: GroupCommit[str, str] = GroupCommit()
    assert together(line, lambda gather: gather()[:1], ["one", "two"]) == ["RuntimeError"] * 2
    assert line.run("three", lambda gather: gather()) == "three"


def together(line, work, jobs):
    """Let these jobs be done by one group; return what each got, an error by its name."""
    got = in_line.together(line, [partial(line.run, job, work) for job in jobs])
    return [type(each).__name__ if isinstance(each, Exception) else each for each in got]
