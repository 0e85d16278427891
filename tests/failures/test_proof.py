"""Many leads with one in ten things going wrong: every email is accounted for, and none goes twice."""

from bench.proof import prove


def test_whatever_goes_wrong_nothing_is_unexplained_and_nothing_goes_twice(tmp_path):
    found, taken, play = prove(15, 1, f"sqlite:///{tmp_path}/funnel.db")
    assert (found["unexplained"], found["duplicates"], found["open"]) == (0, 0, 0)
    assert found["planned"] == found["delivered"] + sum(found["stopped"].values()) >= 75
    assert set(taken.values()) == {1}
    assert play.mailer.told > 60, "something did happen"
