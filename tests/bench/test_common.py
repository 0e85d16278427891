"""What the programs of bench/ share: callers count what they saw, and a ratio of 1 is a goal that is reached."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.common import Row, call, percentile, post


@pytest.mark.parametrize(
    ("row", "ratio"),
    [
        (Row("rate", 100, "/s", 200), 0.5),
        (Row("time", 50, "ms", 100, more_is_better=False), 2.0),
        (Row("time", 50, "ms"), None),
    ],
)
def test_a_ratio_is_above_one_where_the_goal_is_beaten(row, ratio):
    assert row.ratio == ratio


def test_a_percentile_is_a_value_that_was_seen():
    assert [percentile([3, 1, 2, 4], share) for share in (0.5, 0.99, 1)] == [3, 4, 4]


def test_callers_make_each_call_once_and_count_every_answer(notion):
    letter = json.dumps({"from": "a@mail.businessx.example", "to": ["b@resend.dev"], "subject": "x", "html": "x"})
    given = [("Authorization", "Bearer re_sandbox")]
    calls = [post("/resend/emails", letter.encode(), given) for _ in range(5)] + [post("/nowhere", b"{}")]
    # A browser of another test may hold a loop in this thread.
    with ThreadPoolExecutor(1) as elsewhere:
        load = elsewhere.submit(call, notion.port, calls, callers=2).result()
    assert (load.statuses[200], load.statuses[404], len(load.seconds)) == (5, 1, 6)
    assert load.per_second > 0 and load.ms(0.99) >= load.ms(0.5) > 0
