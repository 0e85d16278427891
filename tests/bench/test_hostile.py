"""Strangers and broken callers get a clear answer, leave nothing, and stop nothing."""

from random import Random

import pytest

from bench.hostile import Findings, Tally, main
from bench.shots import broken_callers, strangers

# Two web processes share the callers, and each must be warm before its memory is measured.
SHOTS = 1000


@pytest.mark.process
def test_a_small_storm_breaks_no_promise(capsys):
    status = main(SHOTS, seed=7)
    said = capsys.readouterr().out
    assert status == 0, said
    assert f"{SHOTS} requests in" in said and "BROKEN" not in said and "rows left by strangers: 0" in said


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"tally": Tally({("no proof", 500): 1}, 1.0)}, "no answer was 5xx"),
        ({"left_by_strangers": {"contacts": 1}}, "strangers left no row"),
        ({"entered": 1}, "nothing entered the funnel"),
        ({"memory": (200.0, 210.0, 240.0)}, "memory grew by less than 16 MB once warm"),
        ({"tracebacks": 1}, "no trace of a crash in the log"),
        ({"afterwards": 503}, "a right call afterwards is accepted"),
    ],
)
def test_each_promise_can_be_broken(change, broken):
    held = {
        "tally": Tally({("no proof", 401): 1}, 1.0),
        "left_by_strangers": {},
        "entered": 0,
        "kept_refused": 0,
        "memory": (200.0, 210.0, 215.0),
        "afterwards": 202,
        "tracebacks": 0,
    }
    assert all(Findings(**held).promises().values())
    assert [promise for promise, well in Findings(**{**held, **change}).promises().items() if not well] == [broken]


def test_the_same_seed_fires_the_same_shots_and_every_kind_of_them():
    def fired(seed):
        sources = strangers(Random(seed)), broken_callers(Random(seed), "secret")
        return [next(source) for source in sources for _ in range(400)]

    once, again = fired(3), fired(3)
    assert [(shot.kind, shot.method, shot.path) for shot in once] == [(s.kind, s.method, s.path) for s in again]
    assert len({shot.kind for shot in once}) == 16
    assert {shot.headers["Authorization"] for shot in once[400:]} == {"Bearer secret"}
